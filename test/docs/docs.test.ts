import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { CommandTypes, validateDag } from '../../src/dag/index.js';
import { describeApi } from '../../src/server/openapi.js';
import { allCommandTypes } from '../../src/workers/index.js';
import { ottoProgram } from '../support/program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Document {
  name: string;
  text: string;
  /** Its blocks of code. */
  blocks: { language: string; code: string }[];
  /** Its text without them. */
  prose: string;
}

const documents = await readDocuments();

async function readDocuments(): Promise<Document[]> {
  const folders = ['.', 'docs', 'bench'];
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(join(root, folder)))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name)),
    ),
  );
  return await Promise.all(
    names.flat().map(async (name) => {
      const text = await readFile(join(root, name), 'utf8');
      const fence = /^```(\w*)\n([\s\S]*?)^```$/gm;
      const blocks = [...text.matchAll(fence)].map(([, language = '', code = '']) => ({ language, code }));
      return { name, text, blocks, prose: text.replace(fence, '') };
    }),
  );
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe('links', () => {
  it('lead to files and headings that are there', async () => {
    const broken: string[] = [];
    let count = 0;
    for (const { name, prose } of documents) {
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        count += 1;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(root, name) : resolve(root, dirname(name), path);
        const there = await access(file).then(
          () => true,
          () => false,
        );
        if (!there) broken.push(`${name}: ${target}`);
        else if (anchor !== undefined) {
          const other = documents.find((each) => each.name === relative(root, file))!;
          const headings = [...other.prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
            anchorOf(heading),
          );
          if (!headings.includes(anchor)) broken.push(`${name}: ${target} (no such heading)`);
        }
      }
    }
    expect(count).toBeGreaterThan(20);
    expect(broken).toEqual([]);
  });
});

/** Words of each `otto …` in a text, up to what the shell would take for itself. */
function calls(text: string): string[][] {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines.flatMap((line) => {
    const [, rest] =
      /(?:^|\s|=…\s)(?:npm run otto --|otto)((?:\s+\S+)+)/.exec(line.replace(/(^|\s)#.*$/, '')) ?? [];
    if (rest === undefined) return [];
    const words = rest.trim().match(/"[^"]*"|\S+/g) ?? [];
    const end = words.findIndex((word) => /^[<>|&;]/.test(word));
    return [end < 0 ? words : words.slice(0, end)];
  });
}

const [program, ...programArgs] = ottoProgram;
const helps = new Map<string, Promise<string>>();

/** What `otto … --help` says; rejects where there is no such command. */
function helpOf(words: string[]): Promise<string> {
  const key = words.join(' ');
  let help = helps.get(key);
  if (!help) {
    help = execa(program, [...programArgs, ...words, '--help'], {
      cwd: root,
    }).then(({ stdout }) => stdout);
    helps.set(key, help);
  }
  return help;
}

function commandsIn(help: string): string[] {
  const [, list = ''] = help.split(/^Commands:$/m);
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name);
}

/** What is wrong with a call; undefined where it could be made. */
async function problem(words: string[]): Promise<string | undefined> {
  const path: string[] = [];
  let help = await helpOf(path);
  for (const word of words) {
    const known = commandsIn(help);
    if (known.length === 0 || word.startsWith('-') || !/^[a-z-]+$/.test(word)) break;
    if (!known.includes(word)) return `there is no command "${[...path, word].join(' ')}"`;
    path.push(word);
    help = await helpOf(path);
  }
  const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]!);
  const unknown = flags.filter((flag) => !new RegExp(`^\\s+(-\\w, )?${flag}\\b`, 'm').test(help));
  return unknown.length > 0 ? `otto ${path.join(' ')} has no ${unknown.join(', ')}` : undefined;
}

// Each command says what it takes in a process of its own.
describe('command lines', { timeout: 300_000 }, () => {
  it('are such as otto takes', async () => {
    const wrong: string[] = [];
    let count = 0;
    for (const { name, blocks, prose } of documents) {
      const inBlocks = blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => calls(code));
      const inProse = [...prose.matchAll(/`(otto [^`]+)`/g)].flatMap(([, code = '']) => calls(code));
      for (const words of [...inBlocks, ...inProse]) {
        count += 1;
        const why = await problem(words);
        if (why) wrong.push(`${name}: otto ${words.join(' ')}: ${why}`);
      }
    }
    expect(count).toBeGreaterThan(30);
    expect(wrong).toEqual([]);
  });

  it('in the hints of the program are such as otto takes', async () => {
    const sources = (await readdir(join(root, 'src'), { recursive: true })).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('/testing/'),
    );
    const wrong: string[] = [];
    let count = 0;
    for (const source of sources) {
      const text = await readFile(join(root, 'src', source), 'utf8');
      const hints = [...text.matchAll(/(?:hint|message|example):\s*\n?\s*(['"`])((?:(?!\1).)*)\1/g)];
      for (const [, , hint = ''] of hints) {
        for (const [, code = ''] of hint.matchAll(/\b(otto [a-z][\w -]*[\w])/g)) {
          for (const words of calls(code)) {
            // A sentence may go on behind the command.
            const path = words.filter((word) => /^[a-z-]+$/.test(word)).slice(0, 2);
            if (path.length === 0 || path[0]!.startsWith('-')) continue;
            count += 1;
            const known = commandsIn(await helpOf([]));
            if (!known.includes(path[0]!)) continue;
            const below = commandsIn(await helpOf([path[0]!]));
            if (below.length > 0 && path[1] && !path[1].startsWith('-') && !below.includes(path[1]))
              wrong.push(`${source}: otto ${path.join(' ')}`);
          }
        }
      }
    }
    expect(count).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  });
});

describe('DAGs', () => {
  it('in the documents are valid, and those beside them', async () => {
    const types = new CommandTypes(await allCommandTypes([]));
    const found: [string, unknown][] = [];
    for (const { name, blocks } of documents) {
      for (const { language, code } of blocks) {
        if ((language === 'yaml' || language === 'json') && code.includes('command_type:'))
          found.push([name, code]);
        else if (language === 'json' && code.includes('"command_type"')) found.push([name, code]);
        // The body of a call of the API.
        for (const [, body = ''] of code.matchAll(/-d '(\{[\s\S]*?\n\s*\})'/g))
          found.push([name, (parseYaml(body) as { document: unknown }).document]);
      }
    }
    for (const name of await readdir(join(root, 'docs/dags')))
      found.push([`docs/dags/${name}`, await readFile(join(root, 'docs/dags', name), 'utf8')]);
    expect(found.length).toBeGreaterThan(5);
    const issues = found.flatMap(([name, document]) =>
      validateDag(document, types).issues.map((issue) => `${name}: ${issue.path}: ${issue.message}`),
    );
    expect(issues).toEqual([]);
  });
});

describe('paths of the API', () => {
  it('exist', async () => {
    const { paths } = (await describeApi('0')) as { paths: Record<string, unknown> };
    const known = Object.keys(paths).map((path) => new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`));
    const named = documents.flatMap(({ name, text }) =>
      [...text.matchAll(/(\/api\/v1\/[\w/.-]*\w)/g)].map(([path]) => ({ name, path })),
    );
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter(({ path }) => !known.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

describe('licences', () => {
  it('are those of package-lock.json', async () => {
    await execa(process.execPath, ['scripts/licences.mjs', '--check'], { cwd: root });
  });
});
