import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { settingsQuery } from '../../api/queries.js';
import type { SettingView } from '../../api/types.js';
import { FilterBar, SearchBox, Select } from '../../components/field.js';
import { Empty, Loaded, Section } from '../../components/page.js';
import type { Column } from '../../components/table.js';
import { Badge, Facts, None } from '../../components/values.js';
import { VirtualTable } from '../../components/virtual-table.js';
import { formatCount } from '../../lib/format.js';
import { useUrlState } from '../../lib/hooks.js';
import { useTarget } from './target-page.js';

export function SettingsTab() {
  const target = useTarget();
  const settings = useQuery(settingsQuery(target.id));
  return (
    <Section title="Settings" about="Every knob of the primary, read from it now.">
      <Loaded of={settings} rows={10} what="The settings could not be read.">
        {({ items }) => <Settings settings={items} />}
      </Loaded>
    </Section>
  );
}

function Settings({ settings }: { settings: readonly SettingView[] }) {
  const target = useTarget();
  const [params, setParams] = useUrlState();
  const search = (params.get('q') ?? '').toLowerCase();
  const show = params.get('show') ?? '';
  const ours = useMemo(
    () => new Set(target.openChanges.map((change) => change.setting)),
    [target.openChanges],
  );
  const rows = useMemo(
    () =>
      settings.filter((one) => {
        if (show === 'changed' && one.source === 'default') return false;
        if (show === 'restart' && !one.pendingRestart) return false;
        if (show === 'ours' && !ours.has(one.name)) return false;
        return !search || `${one.name} ${one.description}`.toLowerCase().includes(search);
      }),
    [settings, search, show, ours],
  );
  const setSearch = useCallback((q: string) => setParams({ q }), [setParams]);
  const columns: Column<SettingView>[] = [
    {
      key: 'name',
      header: 'Setting',
      width: 'minmax(11rem, 1.2fr)',
      cell: (one) => (
        <span className="row">
          <code className="truncate">{one.name}</code>
          {ours.has(one.name) && <Badge tone="warn">ours</Badge>}
          {one.pendingRestart && <Badge tone="warn">restart pending</Badge>}
        </span>
      ),
    },
    {
      key: 'value',
      header: 'Value',
      width: 'minmax(6rem, 1fr)',
      cell: (one) =>
        one.value === null ? (
          <None />
        ) : (
          <span>
            <code>{one.value === '' ? "''" : one.value}</code>
            {one.unit && <span className="muted"> {one.unit}</span>}
          </span>
        ),
    },
    { key: 'source', header: 'From', width: '9rem', hideBelow: 48, cell: (one) => one.source },
    {
      key: 'context',
      header: 'Takes effect',
      width: '9.5rem',
      hideBelow: 48,
      cell: (one) => contextText(one.context),
    },
    {
      key: 'description',
      header: 'Meaning',
      width: 'minmax(0, 2fr)',
      hideBelow: 64,
      cell: (one) => <span className="muted">{one.description}</span>,
    },
  ];
  return (
    <>
      <div className="section-padded">
        <FilterBar count={`${formatCount(rows.length)} of ${formatCount(settings.length)}`}>
          <SearchBox label="Search settings" value={params.get('q') ?? ''} onChange={setSearch} />
          <Select
            label="Show"
            value={show}
            onChange={(next) => setParams({ show: next }, { push: true })}
            options={[
              ['', 'All settings'],
              ['changed', 'Not at their default'],
              ['ours', 'Changed by us now'],
              ['restart', 'Waiting for a restart'],
            ]}
          />
        </FilterBar>
      </div>
      {rows.length === 0 ? (
        <Empty title="No setting matches" />
      ) : (
        <VirtualTable
          label="Settings"
          columns={columns}
          rows={rows}
          rowKey={(one) => one.name}
          rowName={(one) => one.name}
          expanded={(one) => (
            <Facts
              items={[
                ['Meaning', one.description],
                [
                  'Value',
                  <code key="v" className="setting-value">
                    {one.value}
                  </code>,
                ],
                ['Category', one.category],
                ['From', one.source],
                ['Takes effect', contextText(one.context)],
              ]}
            />
          )}
        />
      )}
    </>
  );
}

/** pg_settings.context in words. */
function contextText(context: string): string {
  const texts: Record<string, string> = {
    internal: 'fixed',
    postmaster: 'at a restart',
    sighup: 'at a reload',
    'superuser-backend': 'at a new session',
    backend: 'at a new session',
    superuser: 'at once (superuser)',
    user: 'at once',
  };
  return texts[context] ?? context;
}
