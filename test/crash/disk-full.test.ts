import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testFolder } from '../../src/postgres/testing/index.js';
import { endAll, Otto, rowsOf } from '../support/otto.js';
import { dag, expectEnd, expectNothingLeft, register, submit } from '../support/scenario.js';
import { startTarget, type Target } from '../support/target.js';

const sizeBytes = 64 * 1024 * 1024;

/** Small file systems can only be made by root, and not in every container. */
function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root, to mount a small file system';
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'mounting is not permitted here';
  }
}

const reason = whyNot();

describe.skipIf(reason !== undefined)(`a full disk${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let target: Target;
  let data: string;
  let autoConf: string;
  let otto: Otto;
  const mounts: string[] = [];

  async function mount(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'none', path]);
    mounts.push(path);
    await chmod(path, 0o755);
  }

  beforeAll(async () => {
    target = await startTarget();
    autoConf = await target.autoConf();
    data = await testFolder();
    await mount(join(data, 'artifacts'));
    await mount(join(data, 'workers', 'small'));
    otto = await Otto.start({ data });
    await register(otto, target);
  });

  afterAll(async () => {
    await otto?.stop();
    if (data) {
      await endAll(data);
      for (const path of mounts) execFileSync('umount', ['--lazy', path]);
      await rm(data, { recursive: true, force: true });
    }
    await target?.stop();
  });

  const errorOf = async (run: string, command: string) =>
    (
      await rowsOf<{ error: { code: string; hint?: string } | null }>(
        data,
        'select error from commands where run_id = $1 and name = $2',
        [run, command],
      )
    )[0]!.error;

  it('where the copy should go: the run fails with the reason, and leaves nothing', async () => {
    const document = dag();
    const launch = document.commands.find((command) => command.command_name === 'exploratory')!;
    launch.config = { root: join(data, 'workers', 'small') };
    const run = await submit(otto, document);
    await expectEnd(data, run, 'FAILED');
    expect(await errorOf(run, 'clone')).toMatchObject({
      code: 'NO_SPACE',
      hint: expect.stringContaining('space'),
    });
    await expectNothingLeft(
      { data, run, target, autoConf },
      { clone: 'FAILED', capture: 'SKIPPED', replay: 'SKIPPED', collect: 'FAILED' },
    );
  }, 180_000);

  it('where the capture should be archived: the settings are back, and the run says what is missing', async () => {
    const ballast = join(data, 'artifacts', 'ballast');
    await writeFile(ballast, Buffer.alloc(sizeBytes - 8_192));
    const run = await submit(otto, dag());
    await expectEnd(data, run, 'FAILED');
    expect(await errorOf(run, 'capture')).toMatchObject({ code: 'STORE_FULL' });
    await expectNothingLeft({ data, run, target, autoConf }, { capture: 'FAILED', replay: 'SKIPPED' });
    await rm(ballast);
    await otto.api('POST', `/runs/${run}/resume`);
    await expectEnd(data, run, 'SUCCEEDED');
    await expectNothingLeft({ data, run, target, autoConf });
  }, 240_000);
});
