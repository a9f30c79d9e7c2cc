/**
 * The house map as a rule: an import points down, never sideways on the same floor, never up.
 * Keep in step with ARCHITECTURE.md.
 */
const floors = [
  ['base'],
  ['learning'],
  ['duckdb', 'postgres', 'store'],
  ['workload', 'dag'],
  ['workers'],
  ['control'],
  ['server'],
  ['demo'],
  ['cli'],
];

const forbidden = [];
floors.forEach((rooms, floor) => {
  for (const room of rooms) {
    const above = floors.slice(floor + 1).flat();
    const beside = rooms.filter((other) => other !== room);
    const off = [...above, ...beside];
    if (off.length > 0) {
      forbidden.push({
        name: `${room}-imports-down-only`,
        severity: 'error',
        from: { path: `^src/${room}/` },
        to: { path: `^src/(${off.join('|')})/` },
      });
    }
    forbidden.push({
      name: `${room}-has-one-face`,
      comment: `Other folders import src/${room}/index.ts (or its testing/ helpers), not its private files. Tests may look inside.`,
      severity: 'error',
      from: { path: '^(src|bench)/', pathNot: [`^src/${room}/`, '\\.test\\.ts$'] },
      to: { path: `^src/${room}/`, pathNot: [`^src/${room}/index\\.ts$`, `^src/${room}/testing/`] },
    });
  }
});

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolved', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true } },
    {
      name: 'production-code-needs-production-dependencies',
      severity: 'error',
      from: { path: '^src/', pathNot: ['\\.test\\.ts$', '/testing/'] },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
