import { describe, expect, it } from 'vitest';
import { crashSuite } from '../support/crash-suite.js';
import { dag, expectEnd, expectNothingLeft, type Point, reach, submit } from '../support/scenario.js';

describe('kill -9 of the control plane, which then starts again', () => {
  const suite = crashSuite();

  it.each<Point>(['launch', 'clone', 'capture', 'replay', 'finalise'])(
    'during: %s',
    async (point) => {
      const { data, otto, target, autoConf } = suite;
      const run = await submit(otto, dag());
      await reach(data, run, point);
      await otto.kill();
      await suite.restart();
      await expectEnd(data, run, 'SUCCEEDED');
      await expectNothingLeft({ data, run, target, autoConf });
    },
    240_000,
  );

  it('Ctrl-C in the middle of a capture: the settings are back before it ends, and the next one goes on', async () => {
    const { data, otto, target, autoConf } = suite;
    const run = await submit(otto, dag());
    await reach(data, run, 'capture');
    await otto.stop();
    expect(await target.autoConf()).toBe(autoConf);
    await suite.restart();
    await expectEnd(data, run, 'SUCCEEDED');
    await expectNothingLeft({ data, run, target, autoConf });
  }, 240_000);
});
