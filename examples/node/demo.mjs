// A weekend at the help desk, by its web hooks: node demo.mjs

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { desk, escalate, poster } from './desk.mjs';
import { Database, Policy } from './slaclock.mjs';

const policy = new Policy(new URL('../policies/promise.toml', import.meta.url).pathname);
const zone = policy.zone('resolution');
const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: zone,
  weekday: 'short',
  day: '2-digit',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const show = (value) => (value === null ? 'none' : format.format(new Date(value)));

const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${server.address().port}`)));

const folder = await mkdtemp(join(tmpdir(), 'slaclock-desk-'));
const db = await Database.openOrCreate(join(folder, 'care.slaclock'), policy);
let now = new Date('2026-03-06T15:00:00+03:00');
const server = desk(db, () => now);
const base = await listen(server);

// The other side: a chat, a mail gateway. It is down when it gets its second notice.
const told = [];
let calls = 0;
const chat = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  calls += 1;
  if (calls === 2) return response.writeHead(503).end();
  told.push(JSON.parse(body));
  response.writeHead(204).end();
});
const tell = poster(await listen(chat));

async function ask(method, path, document) {
  const response = await fetch(base + path, { method, body: document && JSON.stringify(document) });
  return [response.status, await response.json()];
}

console.log(`due in ${zone}`);
const [status, created] = await ask('POST', '/cases', { id: 'C-1', customer: 'acme', subject: 'Printer is silent' });
console.log(`C-1 posted: ${status}, due ${show(created.due)}, limit ${show(created.limit)}`);
console.log(
  `C-1 posted again: ${(await ask('POST', '/cases', { id: 'C-1', customer: 'acme', subject: 'Printer is silent' }))[0]}`,
);

console.log('\n200 posts at once, a third of them wrong, each with the error of its own:');
const answers = await Promise.all(
  Array.from({ length: 200 }, (_, i) =>
    i % 3 === 0
      ? ask('POST', `/cases/N-${i}/events`, { event: 'resolved' })
      : ask('POST', '/cases', { id: `D-${i}`, priority: i % 2 ? 'high' : 'low' }),
  ),
);
const right = answers.filter(([status]) => status === 201).length;
const wrong = answers.filter(([status, { error }], i) => status === 404 && error.includes(`\`N-${i}\``)).length;
console.log(`${right} created, ${wrong} refused by name, ${answers.length - right - wrong} mixed up`);

console.log('\nwhat is wrong is said:');
for (const [path, document] of [
  ['/cases', { id: '' }],
  ['/cases', { id: 'C-1', customer: 'globex' }],
  ['/cases', { id: 'C-2', received_at: '2026-03-06 15:00' }],
  ['/cases/C-1/events', { event: 'paused' }],
]) {
  const [code, { error }] = await ask('POST', path, document);
  console.log(`${code} ${error}`);
}

console.log('\nMonday');
now = new Date('2026-03-09T10:00:00+03:00');
await ask('POST', '/cases/C-1/events', { event: 'paused', reason: 'waiting_customer', by: 'ann', key: 'p1' });
for (let i = 0; i < 200; i++)
  if (i % 3 !== 0 && i !== 100) await ask('POST', `/cases/D-${i}/events`, { event: 'resolved', by: 'bob' });
now = new Date('2026-03-09T16:00:00+03:00');
const [, clocks] = await ask('POST', '/cases/C-1/events', { event: 'resumed', key: 'r1' });
console.log(`C-1 was on hold for six hours: due ${show(clocks.resolution.dueAt)}`);
const [, late] = await ask('GET', '/late');
console.log(`late: ${late.map((row) => `${row.request} ${row.clock}, since ${show(row.dueAt)}`).join('; ')}`);

try {
  await escalate(db, now, tell);
} catch (error) {
  console.log(`the chat is down: ${error.message.replace(/http:\S+/, 'it')}`);
}
await escalate(db, now, tell);
const ofD100 = told
  .filter((notice) => notice.request === 'D-100')
  .map((notice) => `${notice.threshold}${notice.percent ? ` ${notice.percent} %` : ''}`);
console.log(
  `told ${told.length} notices, no number twice: ${new Set(told.map((notice) => notice.number)).size === told.length}`,
);
console.log(`of D-100: ${ofD100.join(', ')}`);

const [attainment] = await db.attainment({ period: '2026-03', now: new Date('2026-04-01T00:00:00+03:00') });
console.log(`\n${attainment.text}`);
console.log(`stored state that does not follow from the events: ${(await db.verify()).differing}`);

server.close();
chat.close();
await db.close();
policy.close();
await rm(folder, { recursive: true });
