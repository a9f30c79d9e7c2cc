import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

let source: Promise<string> | undefined;

/** What the accessibility checker finds on the page as it stands: one line for each rule that is broken. */
export async function findBarriers(page: Page): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  // Evaluated through the debugger, which the content security policy of the page does not reach.
  await page.evaluate(await source);
  const results = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as AxeResults;
  return results.violations.map((violation) => {
    const where = violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 160));
    return `${violation.id} (${violation.impact}): ${violation.help}\n  ${where.join('\n  ')}`;
  });
}

/** How far the page is wider than its window, in CSS pixels. */
export async function overflowOf(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number;
}
