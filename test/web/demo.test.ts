import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { findBarriers, overflowOf } from './support/accessibility.js';
import { launchBrowser, open, settled, type VisitOptions, type Visitor, visit } from './support/browser.js';
import { type Artifact, type Capture, type Change, Demo, type Items, type Run } from './support/demo.js';
import { auditSays, colorsOfCharts, fact, shown, statesIn } from './support/looks.js';

const shots = fileURLToPath(new URL('../../test-results/web', import.meta.url));
const captureSeconds = 8;

let demo: Demo;
let browser: Browser;
let visitors: Visitor[] = [];

beforeAll(async () => {
  await mkdir(shots, { recursive: true });
  [demo, browser] = await Promise.all([Demo.start(captureSeconds), launchBrowser()]);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await demo?.remove();
}, 120_000);
afterEach(async () => {
  const complaints = visitors.flatMap((one) => one.complaints);
  await Promise.all(visitors.map((one) => one.close()));
  visitors = [];
  expect(complaints).toEqual([]);
});

async function come(options: VisitOptions = {}): Promise<Page> {
  const visitor = await visit(browser, demo, options);
  visitors.push(visitor);
  return visitor.page;
}

const runOf = async (id: string): Promise<Run> => await demo.get<Run>(`/runs/${id}`);

/** The run that the demo itself submits: the oldest. */
async function demoRun(): Promise<string> {
  return await eventually(async () => (await demo.get<Items<Run>>('/runs?limit=100')).items.at(-1)?.id, {
    what: 'the demo submits its run',
  });
}

/** The same, once it has ended well. */
async function endedRun(): Promise<string> {
  const id = await demoRun();
  await eventually(async () => (await runOf(id)).state === 'SUCCEEDED', { what: 'the run of the demo ends' });
  return id;
}

async function artifactsOf(run: string): Promise<Artifact[]> {
  return (await demo.get<Items<Artifact>>(`/artifacts?run=${run}`)).items;
}

async function artifactOf(run: string, kind: string): Promise<Artifact> {
  const found = (await artifactsOf(run)).find((one) => one.kind === kind);
  if (!found) throw new Error(`no artifact of kind ${kind} in ${run}`);
  return found;
}

const targetId = async (): Promise<string> =>
  (await demo.get<Items<{ id: string }>>('/targets')).items[0]!.id;
const count = (value: number): string => value.toLocaleString('en');

describe('a run, live', () => {
  it('appears on the overview, and its three views follow it without a reload', async () => {
    const page = await come();
    await open(page, '/');
    await page.evaluate('window.sameDocument = true');
    const running = page.getByRole('table', { name: 'Running now' });
    await running.getByRole('link', { name: 'demo' }).first().click({ timeout: 60_000 });
    await page.waitForURL(/\/runs\/run_/);
    const id = await demoRun();
    expect(page.url()).toContain(id);
    await page.getByRole('button', { name: 'Graph', exact: true }).click();

    const seen = new Map<string, string[]>();
    const look = async (): Promise<Record<string, string>> => {
      const states = await statesIn(page, '.react-flow__node', '.dag-node-name');
      for (const [name, state] of Object.entries(states)) {
        const before = seen.get(name) ?? [];
        if (before.at(-1) !== state) seen.set(name, [...before, state]);
      }
      return states;
    };
    await eventually(async () => (await look()).capture === 'RUNNING', { what: 'the capture runs' });
    await page.screenshot({ path: `${shots}/run-live-1280.png`, fullPage: true });
    // The collection beside it may end between two looks: then they are compared once more.
    await eventually(
      async () => {
        const graph = await shown(page, 'Graph');
        const gantt = await shown(page, 'Gantt');
        const table = await shown(page, 'Table');
        expect(gantt).toEqual(graph);
        expect(table).toEqual(graph);
        expect(graph).toMatchObject({ clone: 'SUCCEEDED', capture: 'RUNNING', replay: 'PENDING' });
        expect(Object.keys(graph)).toHaveLength(8);
        return true;
      },
      { what: 'the three views agree while the capture runs', limitMs: captureSeconds * 1_000 },
    );
    await page.getByRole('button', { name: 'Graph', exact: true }).click();
    await eventually(async () => (await look()).stop_clone === 'SUCCEEDED', { what: 'the run ends' });
    const story = seen.get('replay')!.filter((state) => state !== 'READY');
    expect(story).toEqual(['PENDING', 'RUNNING', 'SUCCEEDED']);
    await page.locator('h1 [data-state="SUCCEEDED"]').waitFor();

    const truth = Object.fromEntries((await runOf(id)).commands.map((one) => [one.name, one.state]));
    for (const view of ['Graph', 'Gantt', 'Table'] as const) expect(await shown(page, view)).toEqual(truth);
    expect(new Set(Object.values(truth))).toEqual(new Set(['SUCCEEDED']));
    expect(await page.evaluate('window.sameDocument')).toBe(true);
  });
});

describe('what it collected', () => {
  it('is drawn on the page of its target, and a range dragged in a chart is part of the address', async () => {
    const run = await endedRun();
    const capture = await demo.get<Capture>(`/captures/${(await artifactOf(run, 'workload')).id}`);
    const page = await come();
    await open(page, `/targets/${await targetId()}?capture=${(await artifactOf(run, 'workload')).id}`);
    await page.locator('.chart canvas').nth(1).waitFor();
    for (const colors of await colorsOfCharts(page)) expect(colors).toBeGreaterThan(3);
    const templates = page.getByRole('table', { name: 'Templates' });
    expect(await templates.getAttribute('aria-rowcount')).toBe(String(capture.templates.length + 1));
    expect(await templates.getByRole('row').count()).toBeGreaterThan(5);
    expect(await page.locator('.range [role="status"]').textContent()).toContain(
      `${count(capture.series.count.reduce((sum, one) => sum + one, 0))} statements`,
    );

    const box = (await page.locator('.chart .u-over').first().boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.3, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, y, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.7, y, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+.*to=\d+/);
    const address = new URL(page.url());
    const [from, to] = ['from', 'to'].map((name) => Number(address.searchParams.get(name))) as [
      number,
      number,
    ];
    const { t, count: counts } = capture.series;
    const inside = t.reduce((sum, at, i) => sum + (at >= from && at < to ? counts[i]! : 0), 0);
    expect(inside).toBeGreaterThan(0);
    const said = async () => await page.locator('.range [role="status"]').textContent();
    await expect.poll(said).toContain(`${count(inside)} statements`);
    await page.getByRole('columnheader', { name: 'Calls in range' }).waitFor();
    await page.reload();
    await settled(page);
    expect(page.url()).toBe(address.href);
    await expect.poll(said).toContain(`${count(inside)} statements`);
    await page.getByRole('button', { name: 'Whole capture' }).click();
    await page.waitForURL((url) => !url.searchParams.has('from'));
  });

  it('searches the settings of the target', async () => {
    await endedRun();
    const target = await targetId();
    const { items } = await demo.get<Items<{ name: string; description: string }>>(
      `/targets/${target}/settings`,
    );
    const expected = items.filter((one) =>
      `${one.name} ${one.description}`.toLowerCase().includes('work_mem'),
    );
    const page = await come();
    await open(page, `/targets/${target}`);
    await page
      .getByRole('navigation', { name: 'Parts of demo' })
      .getByRole('link', { name: 'Settings' })
      .click();
    await page.getByLabel('Search settings').fill('work_mem');
    await page.waitForURL(/\/settings\?q=work_mem/);
    await page.getByText(`${expected.length} of ${items.length}`, { exact: true }).waitFor();
    for (const one of expected) await page.getByRole('row').getByText(one.name, { exact: true }).waitFor();
  });

  it('is counted on the page of the capture as the API counts it, and what was lost is said', async () => {
    const artifact = await artifactOf(await endedRun(), 'workload');
    const { manifest } = await demo.get<Capture>(`/captures/${artifact.id}`);
    const page = await come();
    await open(page, '/captures');
    await page.locator(`a[href="/captures/${artifact.id}"]`).click();
    await page.waitForURL(new RegExp(artifact.id));
    await settled(page);
    expect(manifest.counts.events).toBe(artifact.rows);
    expect(manifest.counts.statements).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(manifest.counts)) {
      const spaced = name.replace(/([A-Z])/g, ' $1').toLowerCase();
      expect(await fact(page, spaced.charAt(0).toUpperCase() + spaced.slice(1)), name).toBe(count(value));
    }
    const lost = manifest.lost.filter((one) => one.count !== 0);
    if (lost.length === 0) await page.getByText('Nothing was lost.').waitFor();
    for (const one of lost)
      await page
        .locator('li')
        .filter({ hasText: `${count(one.count)} × ${one.what}` })
        .waitFor();
  });

  it('can be looked into, downloaded as it is, and deleted', async () => {
    const run = await endedRun();
    const workload = await artifactOf(run, 'workload');
    const page = await come();
    await open(page, '/artifacts');
    await page.getByRole('link', { name: workload.name }).last().click();
    await page.waitForURL(/\/artifacts\/art_/);
    await open(page, `/artifacts/${workload.id}`);
    const rows = await demo.get<{ columns: { name: string }[]; items: Record<string, unknown>[] }>(
      `/artifacts/${workload.id}/rows?limit=5`,
    );
    const table = page.getByRole('table', { name: 'Rows' });
    expect((await table.getByRole('columnheader').allInnerTexts()).slice(1)).toEqual(
      rows.columns.map((one) => one.name),
    );
    const sql = rows.columns.findIndex((one) => one.name === 'sql');
    expect(
      await table
        .getByRole('row')
        .nth(1)
        .getByRole('cell')
        .nth(sql + 1)
        .textContent(),
    ).toBe(String(rows.items[0]!.sql));
    await page.getByText(`1 to 200 of ${count(workload.rows!)}`).waitFor();

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    const digest = createHash('sha256')
      .update(await readFile(await download.path()))
      .digest('hex');
    expect(digest).toBe(workload.sha256);
    expect(await page.locator('code[title]').getByText(digest.slice(0, 12)).getAttribute('title')).toBe(
      digest,
    );

    const unwanted = (await artifactsOf(run)).find((one) => one.name === 'statistics.json')!;
    await open(page, `/artifacts/${unwanted.id}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: `Delete ${unwanted.name}` });
    expect(await confirm.getAttribute('aria-disabled')).toBe('true');
    await dialog.getByRole('textbox').fill(unwanted.name);
    await confirm.click();
    await page.waitForURL(/\/artifacts$/);
    await page.locator(`a[href="/artifacts/${workload.id}"]`).waitFor();
    await page.locator(`a[href="/artifacts/${unwanted.id}"]`).waitFor({ state: 'detached' });
    expect((await artifactsOf(run)).map((one) => one.id)).not.toContain(unwanted.id);
    await auditSays(page, 'artifact.delete', unwanted.id);
  });

  it('left nothing behind: settings put back, clone and workers gone, each with its story', async () => {
    const run = await endedRun();
    const changes = (await demo.get<Items<Change>>('/changes?limit=100')).items.filter(
      (one) => one.runId === run,
    );
    expect(changes).toHaveLength(5);
    const page = await come();
    await open(page, `/targets/${await targetId()}/changes`);
    const journal = page.getByRole('table', { name: 'Changes' }).getByRole('row');
    for (const change of changes) {
      const row = journal
        .filter({ has: page.locator(`a[href*="${run}"]`) })
        .filter({ hasText: change.setting });
      const states = await row
        .locator('[data-state]')
        .evaluateAll((all) => all.map((one) => one.getAttribute('data-state')));
      // One name is the start of another: each row that matches must have been restored.
      expect(new Set(states), change.setting).toEqual(new Set(['RESTORED']));
    }

    const clone = (
      await demo.get<Items<{ runId: string; method: string; bytes: number }>>('/clones')
    ).items.find((one) => one.runId === run)!;
    await open(page, '/clones?show=all');
    const row = page.getByRole('table', { name: 'Clones' }).getByRole('row');
    const mine = row.filter({ has: page.locator(`a[href*="${run}"]`) });
    expect(await mine.locator('[data-state]').getAttribute('data-state')).toBe('STOPPED');
    expect(await mine.textContent()).toContain(clone.method);
    expect(await mine.locator('td[data-label="Size (MB)"]').textContent()).toBe(
      (clone.bytes / 1e6).toFixed(1),
    );

    await open(page, '/workers?show=all');
    const workers = page.getByRole('table', { name: 'Workers' }).getByRole('row').filter({ hasText: run });
    expect(await workers.count()).toBe(2);
    for (const one of await workers.all())
      expect(await one.locator('[data-state]').first().getAttribute('data-state')).toBe('STOPPED');
  });
});

describe('driving it', () => {
  it('re-runs with another parameter, cancels in the middle of the capture, and resumes to the end', async () => {
    const first = await endedRun();
    const page = await come();
    await open(page, `/runs/${first}?view=table`);
    await page.getByRole('button', { name: 'Re-run' }).click();
    await page.getByLabel('seconds').fill('5');
    await page.getByRole('button', { name: 'Run 8 commands' }).click();
    await page.waitForURL((url) => /\/runs\/run_/.test(url.pathname) && !url.pathname.includes(first));
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    expect(await runOf(id)).toMatchObject({ rerunOf: first, parameters: { seconds: 5 } });
    await page.getByRole('button', { name: 'Table', exact: true }).click();
    const row = (name: string) =>
      page
        .getByRole('table', { name: 'Commands' })
        .getByRole('row')
        .filter({
          has: page.getByRole('button', { name, exact: true }),
        });
    const inState = async (name: string, state: string): Promise<void> =>
      await row(name).locator(`[data-state="${state}"]`).waitFor({ timeout: 60_000 });

    await inState('capture', 'RUNNING');
    const changes = async (): Promise<Change[]> =>
      (await demo.get<Items<Change>>('/changes?limit=100')).items.filter((one) => one.runId === id);
    await eventually(async () => (await changes()).some((one) => one.state === 'INTENDED'), {
      what: 'settings of the capture are in force',
    });
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByText('Clean-up still runs: stop_clone.').waitFor();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page.locator('h1 [data-state="CANCELLED"]').waitFor({ timeout: 60_000 });
    await inState('capture', 'CANCELLED');
    await inState('stop_clone', 'SUCCEEDED');
    expect((await runOf(id)).state).toBe('CANCELLED');
    expect(await changes()).toHaveLength(5);
    expect((await changes()).filter((one) => one.state !== 'RESTORED')).toEqual([]);

    await page.getByRole('button', { name: 'Resume' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Run \d+ commands? again$/ })
      .click();
    await page.locator('h1 [data-state="SUCCEEDED"]').waitFor({ timeout: 90_000 });
    for (const { name } of (await runOf(id)).commands) await inState(name, 'SUCCEEDED');
    const capture = await demo.get<Capture>(`/captures/${(await artifactOf(id, 'workload')).id}`);
    expect(Math.round(capture.manifest.seconds)).toBe(5);
    await open(page, '/');
    await page
      .getByRole('link', { name: /^Open changes/ })
      .getByText('0', { exact: true })
      .waitFor();
    for (const action of ['run.cancel', 'run.resume']) await auditSays(page, action, id);
    await auditSays(page, 'run.rerun', first);
  }, 150_000);

  it('adds a schedule, disables it, and deletes it', async () => {
    await endedRun();
    const page = await come();
    await open(page, '/schedules');
    await page.getByRole('button', { name: 'Add schedule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('every night');
    await dialog.getByLabel('Target').selectOption({ label: 'demo' });
    await dialog.getByText(/^Valid: \d+ commands?\.$/).waitFor();
    await dialog.getByText(/^Next in UTC/).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Add schedule' }).click();
    const row = page
      .getByRole('table', { name: 'Schedules' })
      .getByRole('row')
      .filter({ hasText: 'every night' });
    await row.getByText('Enabled').waitFor();
    const [schedule] = (await demo.get<Items<{ id: string; enabled: boolean }>>('/schedules')).items;
    await row.getByRole('button', { name: 'Disable' }).click();
    await row.getByText('Disabled').waitFor();
    expect(await demo.get<Items<{ enabled: boolean }>>('/schedules')).toMatchObject({
      items: [{ enabled: false }],
    });
    await row.getByRole('button', { name: 'Delete every night' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete every night' }).click();
    await page.getByText('No schedule yet').waitFor();
    expect((await demo.get<Items<unknown>>('/schedules')).items).toEqual([]);
    for (const action of ['schedule.add', 'schedule.update', 'schedule.remove'])
      await auditSays(page, action, schedule!.id);
  });
});

describe.each([1280, 360])('every page with data, %i px', (width) => {
  it('fits its window, and has no barrier in either theme', async () => {
    const run = await endedRun();
    const { id: capture } = await artifactOf(run, 'workload');
    const target = await targetId();
    const pages: Record<string, string> = {
      overview: '/',
      target: `/targets/${target}?capture=${capture}`,
      settings: `/targets/${target}/settings`,
      captures: `/targets/${target}/captures`,
      runs: `/targets/${target}/runs`,
      changes: `/targets/${target}/changes`,
      run: `/runs/${run}?view=graph&command=capture`,
      gantt: `/runs/${run}?view=gantt`,
      table: `/runs/${run}?view=table&command=replay`,
      capture: `/captures/${capture}`,
      artifacts: '/artifacts',
      artifact: `/artifacts/${capture}`,
      clones: '/clones?show=all',
      workers: '/workers?show=all',
      audit: '/audit',
    };
    const page = await come({ width });
    for (const [name, path] of Object.entries(pages)) {
      await open(page, path);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await overflowOf(page), name).toBeLessThanOrEqual(0);
        expect(await findBarriers(page), `${name}, ${colorScheme}`).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: 'light' });
      await page.screenshot({ path: `${shots}/${name}-${width}.png`, fullPage: true });
    }
  }, 120_000);
});

describe('the end', () => {
  it('Ctrl-C ends everything', async () => {
    await endedRun();
    const { status, left, said } = await demo.interrupt();
    expect(left).toEqual([]);
    expect(status, said).toBe(0);
  });
});
