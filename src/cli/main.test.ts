import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'otto-main-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function otto(args: string[], options: { env?: Record<string, string>; input?: string } = {}) {
  return await execa(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
    cwd: root,
    env: { OTTO_DATA: folder, NO_COLOR: '1', ...options.env },
    ...(options.input !== undefined && { input: options.input }),
    reject: false,
    timeout: 50_000,
  });
}

describe('otto', () => {
  it('shows help with an example for the program, a group, and a command', async () => {
    const [program, group, command, alias] = await Promise.all([
      otto(['--help']),
      otto(['token', '--help']),
      otto(['token', 'create', '--help']),
      otto(['help', 'token']),
    ]);
    expect([program, group, command, alias].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    for (const name of [
      'db',
      'dag',
      'worker',
      'workload',
      'bench',
      'schedule',
      'clone',
      'token',
      'audit',
      'artifact',
    ]) {
      expect(program?.stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    expect(group?.stdout).toContain('revoke');
    expect(alias?.stdout).toBe(group?.stdout);
    expect(command?.stdout).toContain('otto token create ci --role operator');
    expect(command?.stdout).toContain('env: OTTO_SERVER');
  });

  it('exits with 2 for wrong usage and wrong input, 1 for failure', async () => {
    const [unknown, missing, choice, nothing, unreachable] = await Promise.all([
      otto(['dag', 'nope']),
      otto(['dag', 'run']),
      otto(['dag', 'list', '--state', 'ODD']),
      otto(['dag', 'list', '--json']),
      otto(['dag', 'list'], { env: { OTTO_SERVER: 'http://127.0.0.1:1', OTTO_JSON: '1' } }),
    ]);
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(missing).toMatchObject({ exitCode: 2, stdout: '' });
    expect(choice.exitCode).toBe(2);
    expect(choice.stderr).toContain('Allowed choices are PENDING');
    expect(nothing.exitCode).toBe(2);
    expect(JSON.parse(nothing.stdout)).toMatchObject({ error: { code: 'NO_CONTROL_PLANE' } });
    expect(nothing.stderr).toContain('otto up');
    expect(unreachable.exitCode).toBe(1);
    expect(JSON.parse(unreachable.stdout)).toMatchObject({ error: { code: 'CONTROL_PLANE_UNREACHABLE' } });
  });

  it('validates documents without a control plane', async () => {
    const bad = join(folder, 'bad.yaml');
    await writeFile(
      bad,
      [
        'name: bad',
        'commands:',
        '  - command_type: STOP_EXPLORAOTRY_POSTGRES',
        '    command_name: stop',
        '    parent_command_names: [nobody]',
      ].join('\n'),
    );
    const [good, wrong, json, stdin] = await Promise.all([
      otto(['dag', 'validate', 'docs/dags/sample.json', 'docs/dags/replay.yaml']),
      otto(['dag', 'validate', 'docs/dags/sample.json', bad]),
      otto(['dag', 'validate', bad, '--json']),
      otto(['dag', 'validate', '-'], { input: '[]' }),
    ]);
    expect(good).toMatchObject({
      exitCode: 0,
      stdout: 'docs/dags/sample.json: valid\ndocs/dags/replay.yaml: valid',
    });
    expect(wrong.exitCode).toBe(2);
    expect(wrong.stdout.split('\n')).toEqual([
      'docs/dags/sample.json: valid',
      `${bad}:3 commands[0].command_type: there is no command type "STOP_EXPLORAOTRY_POSTGRES"; did you mean "STOP_EXPLORATORY_POSTGRES"?`,
      `${bad}:5 commands[0].parent_command_names[0]: there is no command "nobody"`,
    ]);
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ valid: false, files: [{ file: bad, valid: false }] });
    expect(stdin.exitCode).toBe(2);
    expect(stdin.stdout).toBe('-:1 has no commands');
  });

  it('keeps secrets off the command line: a password from stdin reaches the API alone', async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        bodies.push(body);
        const address = { host: 'db', port: 5432, database: 'shop', user: 'me' };
        response.writeHead(201, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({
            id: 't',
            name: 'shop',
            state: 'HEALTHY',
            address,
            production: true,
            openChanges: [],
          }),
        );
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const env = { OTTO_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    try {
      const url = 'postgresql://me:hunter2@db/shop';
      const [piped, typed] = await Promise.all([
        otto(['db', 'add', 'shop', '--url-file', '-'], { env, input: `${url}\n` }),
        otto(['db', 'add', 'shop', url], { env }),
      ]);
      expect(piped.exitCode).toBe(0);
      expect(bodies.map((body) => (JSON.parse(body) as { url: string }).url)).toEqual([url, url]);
      expect(piped.stdout + piped.stderr).not.toContain('hunter2');
      expect(piped.stderr).not.toContain('warning');
      expect(typed.stderr).toContain('warning: others on this machine can see a password');
    } finally {
      server.close();
    }
  });
});
