import { Tooltip as RadixTooltip, Slot } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { usePermission } from '../api/session.js';
import type { Role } from '../api/types.js';
import './button.css';

interface ButtonProps extends ComponentProps<'button'> {
  look?: 'plain' | 'primary' | 'danger' | 'ghost';
  size?: 's' | 'm';
  /** The role that it needs; without it the button is there, says why, and does nothing. */
  needs?: Role;
  /** Another reason why it cannot be pressed now. */
  blocked?: string | undefined;
  busy?: boolean;
  icon?: ReactNode;
  /** Only the icon is shown: this is its name. */
  label?: string;
  asChild?: boolean;
}

/** A disabled button stays reachable by keyboard, so that its reason can be read. */
export function Button({
  look = 'plain',
  size = 'm',
  needs = 'viewer',
  blocked,
  busy = false,
  icon,
  label,
  asChild = false,
  children,
  className = '',
  onClick,
  ...rest
}: ButtonProps) {
  const permission = usePermission(needs);
  const reason = permission.allowed ? blocked : permission.reason;
  const off = reason !== undefined || busy;
  const Element = asChild ? Slot.Root : 'button';
  const button = (
    <Element
      type={asChild ? undefined : 'button'}
      className={`button button-${look} button-${size} ${label !== undefined && !children ? 'button-icon' : ''} ${className}`}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-label={label}
      onClick={off ? (event: React.MouseEvent) => event.preventDefault() : onClick}
      {...rest}
    >
      {asChild ? (
        children
      ) : (
        <>
          {icon}
          {children}
        </>
      )}
    </Element>
  );
  const tip = reason ?? (children ? undefined : label);
  return tip ? <Tooltip text={tip}>{button}</Tooltip> : button;
}

export function Tooltip({ text, children }: { text: ReactNode; children: ReactNode }) {
  return (
    <RadixTooltip.Root>
      <RadixTooltip.Trigger asChild>{children}</RadixTooltip.Trigger>
      <RadixTooltip.Portal>
        <RadixTooltip.Content className="tooltip" sideOffset={6} collisionPadding={8}>
          {text}
        </RadixTooltip.Content>
      </RadixTooltip.Portal>
    </RadixTooltip.Root>
  );
}
