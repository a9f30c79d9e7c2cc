import './settings.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { path, remove } from '../../api/client.js';
import { controlPlanesQuery, tokensQuery } from '../../api/queries.js';
import { usePermission } from '../../api/session.js';
import type { ControlPlaneView, TokenView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { Empty, Loaded, Page, Section } from '../../components/page.js';
import { Status } from '../../components/status.js';
import { type Column, DataTable } from '../../components/table.js';
import { Switch } from '../../components/tabs.js';
import { useToast } from '../../components/toast.js';
import { Badge, None, Time } from '../../components/values.js';
import { setTheme, type ThemeChoice, useThemeChoice } from '../../theme/theme.js';
import { CreateToken } from './create-token.js';

export function SettingsPage() {
  const theme = useThemeChoice();
  return (
    <Page title="Settings" about="Who may do what, which control planes run, and how this page looks.">
      <Tokens />
      <ControlPlanes />
      <Section title="Appearance" about="Kept in this browser." padded>
        <Switch<ThemeChoice>
          label="Theme"
          value={theme}
          onChange={setTheme}
          options={[
            { value: 'system', text: 'As the system' },
            { value: 'light', text: 'Light' },
            { value: 'dark', text: 'Dark' },
          ]}
        />
      </Section>
    </Page>
  );
}

const stateOf = (token: TokenView): 'revoked' | 'expired' | 'valid' =>
  token.revokedAt
    ? 'revoked'
    : token.expiresAt && Date.parse(token.expiresAt) < Date.now()
      ? 'expired'
      : 'valid';

function Tokens() {
  const admin = usePermission('admin');
  const tokens = useQuery({ ...tokensQuery(), enabled: admin.allowed });
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<TokenView>();
  const queries = useQueryClient();
  const toast = useToast();
  const columns: Column<TokenView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (token) => (
        <Status state={stateOf(token) === 'valid' ? 'HEALTHY' : 'STOPPED'} text={stateOf(token)} />
      ),
    },
    { key: 'name', header: 'Name', cell: (token) => <span className="cell-main">{token.name}</span> },
    { key: 'role', header: 'Role', cell: (token) => token.role },
    {
      key: 'created',
      header: 'Made',
      cell: (token) => (
        <span>
          <Time at={token.createdAt} look="ago" /> <span className="muted">by {token.createdBy}</span>
        </span>
      ),
    },
    {
      key: 'used',
      header: 'Last used',
      align: 'end',
      cell: (token) => (token.lastUsedAt ? <Time at={token.lastUsedAt} look="ago" /> : <None />),
    },
    {
      key: 'expires',
      header: 'Expires',
      align: 'end',
      cell: (token) =>
        token.expiresAt ? <Time at={token.expiresAt} look="ago" /> : <span className="muted">never</span>,
    },
    {
      key: 'actions',
      header: 'Actions',
      cell: (token) =>
        stateOf(token) === 'valid' && (
          <span className="cell-actions">
            <Button size="s" needs="admin" onClick={() => setRevoking(token)}>
              Revoke
            </Button>
          </span>
        ),
    },
  ];
  return (
    <Section
      title="Tokens"
      about="Each lets a person, a program or a worker in, with one role."
      actions={
        <Button size="s" look="primary" needs="admin" icon={<KeyRound />} onClick={() => setCreating(true)}>
          Create token
        </Button>
      }
    >
      {admin.allowed ? (
        <Loaded of={tokens} what="The tokens could not be read.">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No token yet" command="otto token create me --role admin" />
            ) : (
              <DataTable label="Tokens" columns={columns} rows={items} rowKey={(token) => token.id} />
            )
          }
        </Loaded>
      ) : (
        <Empty title="Only an admin sees the tokens">{admin.reason}</Empty>
      )}
      <CreateToken open={creating} onOpenChange={setCreating} />
      {revoking && (
        <Confirm
          open
          onOpenChange={() => setRevoking(undefined)}
          title={`Revoke ${revoking.name}`}
          action={`Revoke ${revoking.name}`}
          danger
          onConfirm={async () => {
            await remove(path('tokens', revoking.id));
            await queries.invalidateQueries({ queryKey: ['tokens'] });
            toast.done(`${revoking.name} was revoked.`);
          }}
        >
          <p>
            Whoever uses it is refused from now on:{' '}
            {revoking.role === 'worker' ? 'a worker' : 'a browser or a program'} that has it loses its access
            at once. It cannot be made valid again; a new one can be created.
          </p>
        </Confirm>
      )}
    </Section>
  );
}

function ControlPlanes() {
  const planes = useQuery(controlPlanesQuery());
  const columns: Column<ControlPlaneView>[] = [
    {
      key: 'state',
      header: 'State',
      cell: (plane) => {
        const alive = Date.parse(plane.leaseExpiresAt) > Date.now();
        return <Status state={alive ? 'HEALTHY' : 'LOST'} text={alive ? 'Alive' : 'Lost'} />;
      },
    },
    {
      key: 'host',
      header: 'Machine',
      cell: (plane) => (
        <span>
          {plane.host} <span className="muted">pid {plane.pid}</span>{' '}
          {plane.self && <Badge tone="active">this one answers you</Badge>}
        </span>
      ),
    },
    { key: 'version', header: 'Version', cell: (plane) => plane.version },
    {
      key: 'started',
      header: 'Started',
      align: 'end',
      cell: (plane) => <Time at={plane.startedAt} look="ago" />,
    },
    {
      key: 'lease',
      header: 'Lease ends',
      align: 'end',
      cell: (plane) => <Time at={plane.leaseExpiresAt} look="ago" />,
    },
  ];
  return (
    <Section
      title="Control planes"
      about="Processes that share this database; any of them takes over from one that is lost."
    >
      <Loaded of={planes} what="The control planes could not be read.">
        {(items) =>
          items.length === 0 ? (
            <Empty title="No control plane holds a lease" command="otto up" />
          ) : (
            <DataTable label="Control planes" columns={columns} rows={items} rowKey={(plane) => plane.id} />
          )
        }
      </Loaded>
    </Section>
  );
}
