import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { ArtifactView } from '../api/types.js';
import { formatCount, formatInUnit, sizeUnit } from '../lib/format.js';
import { OriginLink, TargetLink } from './links.js';
import { type Column, DataTable } from './table.js';
import { None, Time } from './values.js';

interface CapturesTableProps {
  captures: readonly ArtifactView[];
  withTarget?: boolean;
  footer?: ReactNode;
}

const COUNTS = [
  ['events', 'Events'],
  ['templates', 'Templates'],
  ['sessions', 'Sessions'],
  ['errors', 'Errors'],
  ['lost', 'Lost'],
] as const;

export function CapturesTable({ captures, withTarget = true, footer }: CapturesTableProps) {
  const unit = sizeUnit(captures.map((capture) => capture.bytes));
  const count = (key: string, header: string): Column<ArtifactView> => ({
    key,
    header,
    align: 'end',
    cell: (capture) => {
      const value = capture.summary[key];
      return value === undefined ? <None /> : typeof value === 'number' ? formatCount(value) : value;
    },
  });
  const columns: Column<ArtifactView>[] = [
    {
      key: 'created',
      header: 'Captured',
      cell: (capture) => (
        <Link className="cell-main" to={`/captures/${capture.id}`}>
          <Time at={capture.createdAt} />
        </Link>
      ),
    },
    ...(withTarget
      ? [{ key: 'target', header: 'Target', cell: (one: ArtifactView) => <TargetLink id={one.targetId} /> }]
      : []),
    {
      key: 'origin',
      header: 'Command',
      cell: (one) => <OriginLink runId={one.runId} command={one.command} />,
    },
    ...COUNTS.filter(([key]) => captures.some((one) => one.summary[key] !== undefined)).map(([key, header]) =>
      count(key, header),
    ),
    {
      key: 'bytes',
      header: `Size (${unit.label})`,
      align: 'end',
      cell: (one) => formatInUnit(one.bytes, unit),
    },
  ];
  return (
    <DataTable label="Captures" columns={columns} rows={captures} rowKey={(one) => one.id} footer={footer} />
  );
}
