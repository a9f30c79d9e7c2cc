import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findBarriers, overflowOf } from './support/accessibility.js';
import { launchBrowser, open, settled, type VisitOptions, type Visitor, visit } from './support/browser.js';
import { startWebSystem, type WebSystem } from './support/system.js';

const PAGES = [
  ['/', 'Overview'],
  ['/targets', 'Targets'],
  ['/runs', 'Runs'],
  ['/runs/new', 'New run'],
  ['/schedules', 'Schedules'],
  ['/captures', 'Captures'],
  ['/artifacts', 'Artifacts'],
  ['/workers', 'Workers'],
  ['/clones', 'Clones'],
  ['/audit', 'Audit'],
  ['/settings', 'Settings'],
  ['/no/such/page', 'No such page'],
] as const;

const DOCUMENT = `name: browser-test
parameters:
  seconds: { type: integer, default: 5, description: How long }
commands:
  - { command_name: worker, command_type: LAUNCH_EXPLORATORY_WORKER, parent_command_names: [] }
  - command_name: clone
    command_type: LAUNCH_EXPLORATORY_POSTGRES
    parent_command_names: [worker]
    config: { method: empty }
    when: parameters.seconds > 0
`;

let system: WebSystem;
let browser: Browser;
let visitor: Visitor | undefined;

beforeAll(async () => {
  [system, browser] = await Promise.all([startWebSystem(), launchBrowser()]);
}, 180_000);
afterAll(async () => {
  await browser?.close();
  await system?.stop();
});
afterEach(async () => {
  const complaints = visitor?.complaints ?? [];
  await visitor?.close();
  visitor = undefined;
  expect(complaints).toEqual([]);
});

async function come(options: VisitOptions = { role: 'admin' }): Promise<Page> {
  visitor = await visit(browser, system, options);
  return visitor.page;
}

async function submit(page: Page): Promise<string> {
  const answer = await page.request.post('/api/v1/runs', {
    data: { document: DOCUMENT },
    headers: { 'x-otto-csrf': '1', origin: system.url },
  });
  expect(answer.status(), await answer.text()).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

describe.each([
  { width: 1280, theme: 'light' },
  { width: 1280, theme: 'dark' },
  { width: 360, theme: 'light' },
  { width: 360, theme: 'dark' },
] as const)('every page, $width px, $theme', ({ width, theme }) => {
  it('has a title and a line about it, fits its window, and has no barrier', async () => {
    const page = await come({ role: 'admin', width, theme });
    for (const [path, title] of PAGES) {
      await open(page, path);
      expect(await page.locator('h1').textContent(), path).toBe(title);
      expect((await page.locator('.page-about').textContent())?.length, path).toBeGreaterThan(20);
      expect(await overflowOf(page), path).toBeLessThanOrEqual(0);
      expect(await findBarriers(page), path).toEqual([]);
    }
  });

  it('a run and its command, too', async () => {
    const page = await come({ role: 'admin', width, theme });
    const id = await submit(page);
    for (const view of ['graph', 'gantt', 'table']) {
      await open(page, `/runs/${id}?view=${view}&command=clone`);
      await page.getByRole('complementary', { name: 'Command clone' }).waitFor();
      expect(await overflowOf(page), view).toBeLessThanOrEqual(0);
      expect(await findBarriers(page), view).toEqual([]);
    }
  });
});

describe('signing in', () => {
  it('refuses a wrong token and says so; a right one leads where one was going', async () => {
    const page = await come({});
    await page.goto('/audit?q=token');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Token').fill(system.tokens.viewer);
    await page.keyboard.press('Enter');
    await settled(page);
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/audit?q=token');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('a viewer sees what cannot be done, and why', async () => {
    const page = await come({ role: 'viewer' });
    await open(page, '/targets');
    const button = page.getByRole('button', { name: 'Add target' });
    expect(await button.getAttribute('aria-disabled')).toBe('true');
    await button.focus();
    await page.getByRole('tooltip').filter({ hasText: 'Needs the role admin' }).waitFor();
    await button.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
  });
});

describe('the address holds the state', () => {
  it('filters survive a reload, and Back takes them back', async () => {
    const page = await come();
    await open(page, '/runs');
    await page.getByLabel('State').selectOption('FAILED');
    await page.waitForURL(/state=FAILED/);
    await page.reload();
    await settled(page);
    expect(await page.getByLabel('State').inputValue()).toBe('FAILED');
    await page.goBack();
    await page.waitForURL((url) => url.search === '');
    await expect.poll(async () => await page.getByLabel('State').inputValue()).toBe('');
  });

  it('a chosen command is part of it', async () => {
    const page = await come();
    const id = await submit(page);
    await open(page, `/runs/${id}?view=table`);
    await page.getByRole('button', { name: 'clone' }).click();
    await page.waitForURL(/command=clone/);
    await page.getByRole('complementary', { name: 'Command clone' }).waitFor();
    await page.goBack();
    await page.getByRole('complementary', { name: 'About this run' }).waitFor();
  });
});

describe('the editor', () => {
  it('names each finding, and goes to its line', async () => {
    const page = await come();
    await open(page, '/runs/new');
    const editor = page.getByRole('textbox', { name: /DAG document/ });
    await editor.fill(DOCUMENT.replace('LAUNCH_EXPLORATORY_POSTGRES', 'LAUNCH_EXPLORATORY_POSTGRE'));
    const finding = page.locator('.finding').first();
    await finding.waitFor();
    expect(await finding.textContent()).toContain('LAUNCH_EXPLORATORY_POSTGRE');
    await finding.click();
    const before = await page.evaluate(
      'document.activeElement.value.slice(0, document.activeElement.selectionStart)',
    );
    expect(String(before).split('\n').length).toBe(7);
    expect(await page.getByRole('button', { name: 'Run…' }).getAttribute('aria-disabled')).toBe('true');
  });

  it('draws the graph, indents with Tab, and lets the keyboard out', async () => {
    const page = await come();
    await open(page, '/runs/new');
    const editor = page.getByRole('textbox', { name: /DAG document/ });
    await editor.fill(DOCUMENT);
    await page.locator('.react-flow__node').nth(1).waitFor();
    await page.getByText('Valid.').waitFor();
    await editor.press('ControlOrMeta+End');
    await editor.press('Tab');
    expect(await editor.inputValue()).toBe(`${DOCUMENT}  `);
    await editor.press('Escape');
    await editor.press('Tab');
    expect(await page.evaluate('document.activeElement.tagName')).not.toBe('TEXTAREA');
  });

  it('submits with parameters, and cancels', async () => {
    const page = await come();
    await open(page, '/runs/new');
    await page.getByRole('textbox', { name: /DAG document/ }).fill(DOCUMENT);
    await page.getByText('Valid.').waitFor();
    await page.getByRole('button', { name: 'Run…' }).click();
    await page.getByLabel('seconds').fill('7');
    await page.getByRole('button', { name: 'Run browser-test' }).click();
    await page.waitForURL(/\/runs\/(?!new)/);
    await page.getByRole('heading', { level: 1, name: /browser-test/ }).waitFor();
    expect(await page.getByRole('complementary', { name: 'About this run' }).textContent()).toContain(
      'seconds7',
    );
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByText('What has not begun will not begin.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await page
      .getByText(/Cancelling|Cancelled/)
      .first()
      .waitFor();
  });
});

describe('manners', () => {
  it('shows a token once, and revokes it', async () => {
    const page = await come();
    await open(page, '/settings');
    const name = `browser ${Date.now()}`;
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
    const token = await page.locator('.token-box code').textContent();
    expect(token?.length).toBeGreaterThan(20);
    await page.getByRole('button', { name: 'I have copied it' }).click();
    const row = page.getByRole('row').filter({ hasText: name });
    await row.waitFor();
    expect(await page.content()).not.toContain(token);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: `Revoke ${name}` }).click();
    await row.getByText('revoked').waitFor();
  });

  it('says at the field what is wrong with a target', async () => {
    const page = await come();
    await open(page, '/targets?add=1');
    await page.getByLabel('Name').fill('orders');
    await page.getByLabel('Connection URL of the primary').fill('mysql://here');
    await page.getByRole('dialog').getByRole('button', { name: 'Add target' }).click();
    await page.getByRole('alert').filter({ hasText: 'postgresql://' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('target-url');
  });

  it('shows a broken connection, and heals it', async () => {
    const page = await come();
    await page.route('**/api/v1/stream', (route) => route.abort());
    await open(page, '/');
    await page.getByRole('button', { name: /^Reconnecting/ }).waitFor();
    await page.unroute('**/api/v1/stream');
    await page.getByRole('button', { name: /^Live/ }).waitFor({ timeout: 20_000 });
  });

  it('can be walked by keyboard: past the menu, through a dialog, back to where it was opened', async () => {
    const page = await come();
    await open(page, '/targets');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Add target');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('works at 200 % zoom', async () => {
    const page = await come({ role: 'admin', width: 640, height: 430 });
    for (const [path] of PAGES) {
      await open(page, path);
      expect(await overflowOf(page), path).toBeLessThanOrEqual(0);
    }
  });

  it('keeps its theme over a reload', async () => {
    const page = await come();
    await open(page, '/settings');
    await page.getByRole('button', { name: 'Dark', exact: true }).click();
    await page.reload();
    await settled(page);
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  });
});
