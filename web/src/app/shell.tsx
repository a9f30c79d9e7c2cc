import './shell.css';
import {
  Activity,
  Archive,
  Boxes,
  CalendarClock,
  Database,
  House,
  LogOut,
  Menu,
  MonitorCog,
  Moon,
  Radio,
  ScrollText,
  Server,
  Settings,
  Sun,
  Workflow,
} from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { NavLink, Outlet, ScrollRestoration, useLocation, useNavigation } from 'react-router';
import { remove } from '../api/client.js';
import { LiveProvider, useLiveStatus } from '../api/live.js';
import { useSession } from '../api/session.js';
import { Button, Tooltip } from '../components/button.js';
import { setTheme, type ThemeChoice, useThemeChoice } from '../theme/theme.js';
import { Logo } from './logo.js';

interface Room {
  to: string;
  text: string;
  icon: ReactNode;
}

const ROOMS: [string, Room[]][] = [
  ['', [{ to: '/', text: 'Overview', icon: <House /> }]],
  [
    'Drive',
    [
      { to: '/targets', text: 'Targets', icon: <Database /> },
      { to: '/runs', text: 'Runs', icon: <Workflow /> },
      { to: '/schedules', text: 'Schedules', icon: <CalendarClock /> },
    ],
  ],
  [
    'Collected',
    [
      { to: '/captures', text: 'Captures', icon: <Activity /> },
      { to: '/artifacts', text: 'Artifacts', icon: <Archive /> },
    ],
  ],
  [
    'Fleet',
    [
      { to: '/workers', text: 'Workers', icon: <Server /> },
      { to: '/clones', text: 'Clones', icon: <Boxes /> },
    ],
  ],
  [
    'Control plane',
    [
      { to: '/audit', text: 'Audit', icon: <ScrollText /> },
      { to: '/settings', text: 'Settings', icon: <Settings /> },
    ],
  ],
];

export function Shell() {
  const [open, setOpen] = useState(false);
  const location = useLocation();
  const navigation = useNavigation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: each change of page closes the menu
  useEffect(() => setOpen(false), [location.pathname]);
  useEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setOpen(false);
    };
    window.addEventListener('keydown', close);
    return () => window.removeEventListener('keydown', close);
  }, [open]);

  return (
    <LiveProvider>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <div className="shell">
        <header className="topbar">
          <Button
            look="ghost"
            label={open ? 'Close menu' : 'Open menu'}
            icon={<Menu />}
            aria-expanded={open}
            aria-controls="rooms"
            onClick={() => setOpen(!open)}
          />
          <Logo />
          <LiveStatus short />
        </header>
        <aside id="rooms" className={open ? 'side side-open' : 'side'}>
          <div className="side-logo">
            <Logo />
          </div>
          <nav aria-label="Pages" className="rooms">
            {ROOMS.map(([group, rooms]) => (
              <div key={group} className="room-group">
                {group && <h2>{group}</h2>}
                <ul>
                  {rooms.map((room) => (
                    <li key={room.to}>
                      <NavLink to={room.to} end={room.to === '/'} className="room">
                        {room.icon}
                        {room.text}
                      </NavLink>
                    </li>
                  ))}
                </ul>
              </div>
            ))}
          </nav>
          <SideFoot />
        </aside>
        <main id="main" tabIndex={-1} aria-busy={navigation.state !== 'idle'}>
          <div className={navigation.state === 'idle' ? 'going' : 'going going-on'} />
          <Outlet />
        </main>
      </div>
      <ScrollRestoration />
    </LiveProvider>
  );
}

function LiveStatus({ short = false }: { short?: boolean }) {
  const status = useLiveStatus();
  const [text, detail] = {
    live: ['Live', 'What changes is shown at once.'],
    connecting: ['Connecting', 'Waiting for the control plane.'],
    broken: [
      'Reconnecting',
      'The connection broke. What is shown may be old; it is read again once it heals.',
    ],
    refused: ['Not live', 'The control plane refuses the live connection. Reload the page to sign in again.'],
  }[status] as [string, string];
  return (
    <Tooltip text={detail}>
      <button type="button" className={`live live-${status}`} aria-label={`${text}: ${detail}`}>
        <Radio aria-hidden="true" />
        {(!short || status !== 'live') && text}
      </button>
    </Tooltip>
  );
}

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' };
const THEME_ICONS: Record<ThemeChoice, ReactNode> = {
  system: <MonitorCog />,
  light: <Sun />,
  dark: <Moon />,
};

function SideFoot() {
  const session = useSession();
  const theme = useThemeChoice();
  return (
    <div className="side-foot">
      <LiveStatus />
      <div className="row">
        <span className="grow who">
          <span className="truncate">{session?.actor}</span>
          <span className="muted">{session?.open ? `${session.role} · no token needed` : session?.role}</span>
        </span>
        <Button
          look="ghost"
          size="s"
          label={`Theme: ${theme}. Change to ${NEXT[theme]}.`}
          icon={THEME_ICONS[theme]}
          onClick={() => setTheme(NEXT[theme])}
        />
        {!session?.open && (
          <Button
            look="ghost"
            size="s"
            label="Sign out"
            icon={<LogOut />}
            onClick={() => {
              void remove('/session').finally(() => location.reload());
            }}
          />
        )}
      </div>
    </div>
  );
}
