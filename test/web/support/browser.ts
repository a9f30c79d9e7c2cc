import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { WebRole } from './system.js';

/** What is visited; tokens are needed only where one signs in. */
interface Site {
  url: string;
  tokens?: Record<WebRole, string>;
}

// The one list of browsers is the one that `npm test` looks through: plain JavaScript, which runs before any build.
const { findBrowser } = (await import(new URL('../../../scripts/browser.mjs', import.meta.url).href)) as {
  findBrowser(): string | undefined;
};

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (!executablePath) throw new Error('no Chromium or Chrome found: install one, or set OTTO_CHROMIUM');
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--headless=new',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
    ],
  });
}

export interface Visitor {
  page: Page;
  /** Errors of the page's scripts and of its console, in order. */
  complaints: string[];
  close(): Promise<void>;
}

export interface VisitOptions {
  /** Signed in as; absent: not signed in. */
  role?: WebRole;
  width?: number;
  height?: number;
  theme?: 'light' | 'dark';
}

/** A browser window of its own, with its own cookies. */
export async function visit(browser: Browser, system: Site, options: VisitOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 860 },
    colorScheme: options.theme ?? 'light',
    baseURL: system.url,
    reducedMotion: 'reduce',
  });
  if (options.role) await signIn(context, system, options.role);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // A refused request is the server's answer, which the page shows; all else is a fault of the page.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
      complaints.push(message.text());
  });
  return { page, complaints, close: async () => await context.close() };
}

/** Opens sessions once for each role: the server allows only a few attempts a minute. */
const sessions = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>();

async function signIn(context: BrowserContext, system: Site, role: WebRole): Promise<void> {
  const key = `${system.url} ${role}`;
  const known = sessions.get(key);
  if (known) {
    await context.addCookies(known);
    return;
  }
  if (!system.tokens) throw new Error(`no token of a ${role} for ${system.url}`);
  const answer = await context.request.post('/api/v1/session', {
    data: { token: system.tokens[role] },
    headers: { 'x-otto-csrf': '1', origin: system.url },
  });
  if (!answer.ok())
    throw new Error(`signing in as ${role} failed: ${answer.status()} ${await answer.text()}`);
  sessions.set(key, await context.cookies());
}

/** Opens an address and waits until its title and its content stand. */
export async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await settled(page);
}

export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  // Asked from outside: the content security policy forbids what a wait inside the page would evaluate.
  const busy = `document.querySelectorAll('.loading, main[aria-busy="true"]').length`;
  const until = Date.now() + 20_000;
  while ((await page.evaluate(busy)) !== 0) {
    if (Date.now() > until) throw new Error(`${page.url()} is still loading`);
    await page
      .locator('.loading')
      .first()
      .waitFor({ state: 'detached', timeout: 1_000 })
      .catch(() => undefined);
  }
}
