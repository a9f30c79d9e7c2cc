import './tabs.css';
import type { ReactNode } from 'react';
import { NavLink } from 'react-router';

interface TabsProps {
  label: string;
  tabs: { to: string; text: string; count?: number; end?: boolean }[];
}

/** The parts of a page, each with its own address. */
export function Tabs({ label, tabs }: TabsProps) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <NavLink key={tab.to} to={tab.to} end={tab.end ?? false} className="tab">
          {tab.text}
          {tab.count !== undefined && tab.count > 0 && <span className="tab-count">{tab.count}</span>}
        </NavLink>
      ))}
    </nav>
  );
}

interface SwitchProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: string; icon?: ReactNode }[];
  onChange: (value: T) => void;
}

/** One of a few views of the same thing. */
export function Switch<T extends string>({ label, value, options, onChange }: SwitchProps<T>) {
  return (
    <fieldset className="switch">
      <legend className="visually-hidden">{label}</legend>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.icon}
          {option.text}
        </button>
      ))}
    </fieldset>
  );
}
