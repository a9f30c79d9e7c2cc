import { InputError } from '../../base/index.js';

const pattern = /^[a-z][a-z0-9_-]{0,62}$/;

/** Checks a new target's name: it is typed on command lines and stands in file names and addresses. */
export function checkTargetName(name: string): string {
  if (!pattern.test(name)) {
    throw new InputError(`name: "${name.slice(0, 80)}" is not a target's name`, {
      hint: 'Begin with a letter; then letters, digits, - and _, all lower case, at most 63 in all.',
      issues: [
        { path: 'name', message: 'must be lower case letters, digits, - and _, beginning with a letter' },
      ],
    });
  }
  return name;
}

/** A removed target keeps its row (runs refer to it) but not its name, which may be given again. */
export function removedName(name: string, id: string): string {
  return `${name}~${id}`;
}

/** The name as people know it, also of a removed target. */
export function publicName(name: string): string {
  return name.replace(/~.*$/, '');
}
