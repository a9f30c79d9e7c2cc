import type { Option } from 'commander';
import { InputError } from '../base/index.js';
import { flag } from './command.js';

export function limitOption(): Option {
  return flag('--limit <count>', 'at most so many').default(50).argParser(wholeNumber(1, 10_000));
}

/** Parser of a whole number within bounds. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InputError(`"${text}" is not a whole number from ${least} to ${most}`);
  };
}

/** Parser of a number above zero. */
export function positiveNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isFinite(number) && number > 0) return number;
  throw new InputError(`"${text}" is not a number above 0`);
}
