export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <rect width="32" height="32" rx="8" fill="var(--accent-fill)" />
        <circle
          cx="16"
          cy="16"
          r="8.5"
          fill="none"
          stroke="#fff"
          strokeWidth="2.6"
          strokeDasharray="40 14"
          strokeLinecap="round"
          transform="rotate(-52 16 16)"
        />
        <circle cx="16" cy="16" r="2.7" fill="#fff" />
      </svg>
      <span>Ottopilot</span>
    </span>
  );
}
