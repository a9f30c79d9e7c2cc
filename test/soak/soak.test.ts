import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { crashSuite } from '../support/crash-suite.js';
import { kill } from '../support/processes.js';
import { dag, expectNothingLeft, submit } from '../support/scenario.js';
import { databasePid, ended, rowsOf, story, workerPids } from './parts.js';

/** Rounds of one soak, and the seed of the first: `OTTO_SOAK_ROUNDS`, `OTTO_SOAK_SEED`. Round n has the seed + n. */
const rounds = Number(process.env.OTTO_SOAK_ROUNDS ?? 20);
const firstSeed = Number(process.env.OTTO_SOAK_SEED ?? Date.now() % 1_000_000);
/** About how long an undisturbed run takes: kills fall anywhere in it. */
const runMs = 18_000;
