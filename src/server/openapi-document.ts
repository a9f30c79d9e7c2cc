import type { SwaggerTransformObject } from '@fastify/swagger';

type Document = ReturnType<SwaggerTransformObject>;

/** The library names each schema twice, as input and as output; only what the paths refer to stays. */
export function withoutUnusedSchemas(document: Document): Document {
  const components = 'components' in document ? document.components : undefined;
  const all = (components?.schemas ?? {}) as Record<string, unknown>;
  const used: Record<string, unknown> = {};
  const waiting = referencesIn(document.paths);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name in used || !(name in all)) continue;
    used[name] = all[name];
    waiting.push(...referencesIn(all[name]));
  }
  return { ...document, components: { ...components, schemas: used } } as Document;
}

function referencesIn(part: unknown): string[] {
  return [...JSON.stringify(part ?? null).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name!,
  );
}
