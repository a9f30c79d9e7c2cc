import type { Page } from 'playwright-core';
import { open } from './browser.js';

/** The state of each command as a view of the run page shows it. */
export async function shown(page: Page, view: 'Graph' | 'Gantt' | 'Table'): Promise<Record<string, string>> {
  await page.getByRole('button', { name: view, exact: true }).click();
  if (view === 'Graph') {
    await page.locator('.react-flow__node').first().waitFor();
    return await statesIn(page, '.react-flow__node', '.dag-node-name');
  }
  if (view === 'Table') {
    await page.getByRole('table', { name: 'Commands' }).waitFor();
    return await statesIn(page, 'table[aria-label="Commands"] tbody tr', 'button');
  }
  const rows = page.locator('.gantt-row');
  await rows.first().waitFor();
  const labels = await rows.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''));
  return Object.fromEntries(
    labels.map((label) => {
      const [, name, state] = /^(\w+), ([a-z ]+)/.exec(label)!;
      return [name!, state!.toUpperCase().replaceAll(' ', '_')];
    }),
  );
}

export async function statesIn(page: Page, each: string, name: string): Promise<Record<string, string>> {
  return (await page.evaluate(
    `Object.fromEntries([...document.querySelectorAll('${each}')].map((one) =>
      [one.querySelector('${name}').textContent, one.querySelector('[data-state]').dataset.state]))`,
  )) as Record<string, string>;
}

/** What a list of facts says under a name. */
export const fact = async (page: Page, name: string): Promise<string> =>
  (await page
    .locator('.fact')
    .filter({ has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
    .locator('dd')
    .first()
    .textContent())!.trim();

export async function auditSays(page: Page, action: string, subject: string): Promise<void> {
  await open(page, `/audit?q=${subject}`);
  const row = page
    .getByRole('table', { name: 'Audit entries' })
    .getByRole('row')
    .filter({ hasText: subject });
  const entry = row.filter({ has: page.getByText(action, { exact: true }) });
  await entry.locator('[data-state="done"]').first().waitFor();
}

/** How many colours are drawn on each canvas of the charts. */
export async function colorsOfCharts(page: Page): Promise<number[]> {
  return (await page.evaluate(
    `[...document.querySelectorAll('.chart canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })`,
  )) as number[];
}
