import { InputError } from '../base/index.js';
import type { ApiClient } from './api-client.js';

const most = 10_000;
/** Names that a hint lists. */
const mostNamed = 10;

/** The item with this id or name; of several with one name, those that are over do not count. */
export async function findByName<T extends { id: string; name: string }>(
  api: ApiClient,
  path: string,
  wanted: string,
  what: string,
  isOver: (item: T) => boolean = () => false,
): Promise<T> {
  const items = await api.list<T>(path, {}, most);
  const byId = items.find(({ id }) => id === wanted);
  if (byId) return byId;
  const named = items.filter(({ name }) => name === wanted);
  const open = named.filter((item) => !isOver(item));
  const [only, ...more] = open.length > 0 ? open : named;
  if (!only) {
    const names = [...new Set(items.filter((item) => !isOver(item)).map(({ name }) => name))];
    const shown = names.length > mostNamed ? [...names.slice(0, mostNamed), '…'] : names;
    throw new InputError(`there is no ${what} "${wanted}"`, {
      code: 'NOT_FOUND',
      hint: shown.length > 0 ? `There are: ${shown.join(', ')}.` : 'There are none.',
    });
  }
  if (more.length > 0) {
    throw new InputError(`several ${what}s are named "${wanted}"`, {
      hint: `Name one by its id: ${[only, ...more].map(({ id }) => id).join(', ')}.`,
    });
  }
  return only;
}
