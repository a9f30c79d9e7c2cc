import './target.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Play, RefreshCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, Outlet, useNavigate, useOutletContext, useParams } from 'react-router';
import { path, post, remove } from '../../api/client.js';
import { targetQuery } from '../../api/queries.js';
import type { TargetHealth, TargetView } from '../../api/types.js';
import { Button } from '../../components/button.js';
import { Confirm } from '../../components/dialog.js';
import { Loaded, Page } from '../../components/page.js';
import { Status, StatusIcon } from '../../components/status.js';
import { Tabs } from '../../components/tabs.js';
import { addressText, ProductionBadge } from '../../components/target-bits.js';
import { useToast } from '../../components/toast.js';
import { Facts, Time } from '../../components/values.js';
import { formatBytes, formatDuration, plural } from '../../lib/format.js';

export const useTarget = (): TargetView => useOutletContext<TargetView>();

export function TargetPage() {
  const { id = '' } = useParams();
  const target = useQuery(targetQuery(id));
  const base = `/targets/${id}`;
  return (
    <Page
      title={target.data?.name ?? 'Target'}
      heading={
        target.data && (
          <>
            {target.data.name}
            <Status state={target.data.state} look="pill" />
            <ProductionBadge production={target.data.production} />
          </>
        )
      }
      crumbs={[{ text: 'Targets', to: '/targets' }]}
      about="What this server is, what it is asked, how it is set, and what we changed on it."
      actions={target.data && <Actions target={target.data} />}
    >
      <Loaded of={target} what="The target could not be read.">
        {(data) => (
          <>
            <Health target={data} />
            <Tabs
              label={`Parts of ${data.name}`}
              tabs={[
                { to: base, text: 'Workload', end: true },
                { to: `${base}/settings`, text: 'Settings' },
                { to: `${base}/captures`, text: 'Captures' },
                { to: `${base}/runs`, text: 'Runs' },
                { to: `${base}/changes`, text: 'Changes', count: data.openChanges.length },
              ]}
            />
            <Outlet context={data} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ target }: { target: TargetView }) {
  const [checking, setChecking] = useState(false);
  const [removing, setRemoving] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();

  const check = async () => {
    setChecking(true);
    try {
      await post(path('targets', target.id, 'check'));
      await queries.invalidateQueries({ queryKey: ['targets'] });
    } catch (error) {
      toast.failed(error);
    } finally {
      setChecking(false);
    }
  };

  return (
    <>
      <Button asChild look="primary">
        <Link to={`/runs/new?target=${target.id}`}>
          <Play aria-hidden="true" />
          Run for it
        </Link>
      </Button>
      <Button needs="operator" icon={<RefreshCw />} busy={checking} onClick={() => void check()}>
        {checking ? 'Checking…' : 'Check now'}
      </Button>
      <Button
        needs="admin"
        icon={<Trash2 />}
        label={`Remove ${target.name}`}
        blocked={
          target.openChanges.length > 0
            ? 'Settings of ours are still in force on it: restore them first (tab Changes).'
            : undefined
        }
        onClick={() => setRemoving(true)}
      />
      <Confirm
        open={removing}
        onOpenChange={setRemoving}
        title={`Remove ${target.name}`}
        action={`Remove ${target.name}`}
        danger
        onConfirm={async () => {
          await remove(path('targets', target.id));
          await queries.invalidateQueries({ queryKey: ['targets'] });
          toast.done(`${target.name} was removed.`);
          await navigate('/targets');
        }}
      >
        <p>
          Ottopilot forgets the connection to <code>{addressText(target.address)}</code>
          {target.replicaAddress && ' and to its replica'}, and its schedules stop. The database itself is not
          touched. Runs, captures and artifacts stay. It can be added again.
        </p>
      </Confirm>
    </>
  );
}

function Health({ target }: { target: TargetView }) {
  const health = target.health ?? {};
  return (
    <div className="health">
      <div className="health-facts">
        {health.error && (
          <p className="health-error">
            {health.error} {health.hint && <span className="muted">{health.hint}</span>}
          </p>
        )}
        <Facts
          columns
          items={[
            ['PostgreSQL', health.version],
            ['Size', health.sizeBytes === undefined ? undefined : formatBytes(health.sizeBytes)],
            [
              'Connections',
              health.connections === undefined
                ? undefined
                : `${health.connections} of ${health.maxConnections ?? '?'}`,
            ],
            ['Replica', replicaText(target, health)],
            [
              'Logging collector',
              health.loggingCollector === undefined ? undefined : health.loggingCollector ? 'on' : 'off',
            ],
            ['Checked', target.checkedAt ? <Time key="checked" at={target.checkedAt} look="ago" /> : 'never'],
          ]}
        />
        <div className="health-addresses">
          <span className="muted">Primary</span> <code>{addressText(target.address)}</code>
          {target.replicaAddress && (
            <>
              <span className="muted">Replica</span> <code>{addressText(target.replicaAddress)}</code>
            </>
          )}
        </div>
        {health.warnings && health.warnings.length > 0 && (
          <ul className="health-warnings">
            {health.warnings.map((warning) => (
              <li key={warning}>
                <StatusIcon state="INTENDED" />
                {warning}
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="health-capture">
        <h2>Ways to capture its workload</h2>
        {health.captureMethods && health.captureMethods.length > 0 ? (
          <ul>
            {health.captureMethods.map((method) => (
              <li key={method.method}>
                <Status
                  state={method.possible ? 'HEALTHY' : 'STOPPED'}
                  text={
                    <>
                      <code>{method.method}</code>{' '}
                      <span className="muted">{method.possible ? 'possible' : 'not possible'}</span>
                    </>
                  }
                />
                <p className="cell-sub">{method.why}</p>
              </li>
            ))}
          </ul>
        ) : (
          <p className="muted">Not known yet: “Check now” finds out.</p>
        )}
      </div>
    </div>
  );
}

function replicaText(target: TargetView, health: TargetHealth): string | undefined {
  if (!target.replicaAddress) return 'none';
  const replica = health.replica;
  if (replica?.error) return replica.error;
  if (replica?.ofThisPrimary === false) return 'not of this primary';
  const lagBytes = replica?.lagBytes ?? health.replicationLagBytes;
  const parts = [
    lagBytes !== undefined && formatBytes(lagBytes),
    replica?.lagMs !== undefined && formatDuration(replica.lagMs),
  ].filter(Boolean);
  return parts.length > 0 ? `${parts.join(', ')} behind` : plural(1, 'replica');
}
