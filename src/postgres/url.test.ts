import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, connectionUrl, formatUrl, parseUrl, withDatabase } from './url.js';

describe('parseUrl', () => {
  test.each([
    [
      'postgresql://app:pw@db.example:6432/shop',
      { host: 'db.example', port: 6432, user: 'app', password: 'pw', database: 'shop' },
    ],
    ['postgres://app@db.example', { host: 'db.example', port: 5432, user: 'app', database: 'app' }],
    [
      'postgresql://a%40b:p%2Fw%3A%23%25@h/d%20b',
      { host: 'h', port: 5432, user: 'a@b', password: 'p/w:#%', database: 'd b' },
    ],
    [
      'postgresql://app@[2001:db8::1]:5433/shop',
      { host: '2001:db8::1', port: 5433, user: 'app', database: 'shop' },
    ],
    [
      'postgresql://app@%2Fvar%2Frun%2Fpostgresql:5433/shop',
      { host: '/var/run/postgresql', port: 5433, user: 'app', database: 'shop' },
    ],
    [
      'postgresql:///shop?host=/var/run/postgresql&user=app',
      { host: '/var/run/postgresql', port: 5432, user: 'app', database: 'shop' },
    ],
    [
      'postgresql://app@/shop?host=/tmp&port=7000',
      { host: '/tmp', port: 7000, user: 'app', database: 'shop' },
    ],
  ])('%s', (url, expected) => {
    expect(parseUrl(url)).toEqual({ ...expected, parameters: {} });
  });

  test('keeps the other parameters', () => {
    expect(parseUrl('postgresql://a@h/d?sslmode=require').parameters).toEqual({ sslmode: 'require' });
  });

  test.each([
    ['mysql://app@h/d', /postgresql:\/\//],
    ['postgresql://app:secret@h:99999/d', /URL|port/],
    ['postgresql://app:secret@h/d?port=none', /"none"/],
    ['postgresql://app:sec%ret@h/d', /percent/],
    ['postgresql://app:secret@h1,h2/d', /several/],
    ['postgresql://app:secret@[zz]/d', /URL/],
  ])('refuses %s without repeating the password', (url, message) => {
    expect(() => parseUrl(url)).toThrow(message);
    expect(() => parseUrl(url)).not.toThrow(/sec/);
  });

  test('property: what formatUrl writes, parseUrl reads', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' });
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 1, max: 65_535 }), (user, password, database, port) => {
        for (const host of ['db.example', '/tmp/a b', '::1']) {
          const parts = { host, port, user, password, database, parameters: { sslmode: 'require' } };
          expect(parseUrl(formatUrl(parts))).toEqual(parts);
        }
      }),
    );
  });
});

test('addressOf has no password', () => {
  expect(addressOf('postgresql://app:pw@h/d')).toEqual({ host: 'h', port: 5432, user: 'app', database: 'd' });
});

test('withDatabase changes only the database', () => {
  expect(withDatabase('postgresql://app:pw@h:1/d?sslmode=require', 'other')).toBe(
    'postgresql://app:pw@h:1/other?sslmode=require',
  );
});

test('connectionUrl goes through the socket where there is one', () => {
  const connection = { host: '127.0.0.1', port: 1, user: 'u', database: 'd' };
  expect(connectionUrl(connection)).toBe('postgresql://u@127.0.0.1:1/d');
  expect(connectionUrl({ ...connection, socketDirectory: '/s' }, 'e')).toBe('postgresql://u@%2Fs:1/e');
});
