// A help desk's web hooks: whatever system the cases live in posts them here and gets their due dates back; a timer
// tells what became urgent.
//
//     node desk.mjs care.slaclock promise.toml [PORT] [URL that notices are posted to]
//
//     POST /cases                   {"id": ..., "received_at"?: ISO time, "customer"?, "priority"?, "subject"?}  -> due and limit
//     POST /cases/ID/events         {"event": "resolved", "at"?: ISO time, "by"?, "key"?, "reason"?}            -> the clocks
//     GET  /cases/ID                -> everything known of it
//     GET  /late                    -> what is late, earliest due first
//
// A call may be repeated: cases are told apart by their id, events by their key.

import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { Database, Policy, SlaclockError } from './slaclock.mjs';

const LARGEST_BODY = 64 * 1024;
const CONSUMER = 'desk';
const HTTP_STATUS = {
  NotFound: 404,
  Conflict: 409,
  InvalidArgument: 422,
  OutOfRange: 422,
  InvalidEvent: 422,
  Busy: 503,
};

async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new SyntaxError(`a body of more than ${LARGEST_BODY} bytes`);
    chunks.push(chunk);
  }
  const value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new SyntaxError('the body must be an object');
  return value;
}

function instant(name, value, otherwise) {
  if (value === undefined) return otherwise;
  // A time without a zone would be read in the zone of this machine.
  if (typeof value !== 'string' || !/T.*(Z|[+-]\d\d:\d\d)$/.test(value) || Number.isNaN(Date.parse(value))) {
    throw new SyntaxError(`"${name}" is ${JSON.stringify(value)}: must be like 2026-03-06T15:00:00+03:00`);
  }
  return new Date(value);
}

/** The answer to a request: its HTTP status and a document. */
async function answer(db, now, request) {
  const path = decodeURIComponent(new URL(request.url, 'http://desk').pathname).split('/').slice(1);
  const route = `${request.method} ${path[0]} ${path.length}${path.length === 3 ? ` ${path[2]}` : ''}`;
  switch (route) {
    case 'POST cases 1': {
      const { received_at, ...rest } = await body(request);
      const { isNew, clocks } = await db.submit({ ...rest, receivedAt: instant('received_at', received_at, now()) });
      return [isNew ? 201 : 200, { due: clocks.resolution.dueAt, limit: clocks.resolution.limitAt }];
    }
    case 'POST cases 3 events': {
      const { at, ...rest } = await body(request);
      const { isNew, clocks } = await db.record(path[1], { ...rest, at: instant('at', at, now()) });
      return [isNew ? 201 : 200, clocks];
    }
    case 'GET cases 2':
      return [200, await db.get(path[1], now())];
    case 'GET late 1': {
      const rows = [];
      for await (const row of db.late(now())) rows.push(row);
      return [200, rows];
    }
    default:
      return [404, { error: `${request.method} ${request.url} is nothing here` }];
  }
}

/** A server over a database. `now` gives the time, for tests. */
export function desk(db, now = () => new Date()) {
  return createServer(async (request, response) => {
    let [status, document] = [500, null];
    try {
      [status, document] = await answer(db, now, request);
    } catch (error) {
      if (error instanceof SlaclockError) {
        [status, document] = [HTTP_STATUS[error.kind] ?? 500, { error: error.message, kind: error.kind }];
      } else if (error instanceof SyntaxError || error instanceof URIError) {
        [status, document] = [400, { error: error.message }];
      } else {
        document = { error: String(error) };
      }
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
}

/** Tells every notice once. What could not be told is told by the next run. */
export async function escalate(db, now, tell) {
  await db.advance(now);
  for (;;) {
    const notices = await db.pending(CONSUMER, 100);
    if (notices.length === 0) return;
    for (const notice of notices) {
      await tell(notice);
      await db.acknowledge(CONSUMER, notice.number);
    }
  }
}

/** Posts a notice to a URL. */
export const poster = (url) => async (notice) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(notice),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
};

async function main([path, policyPath, port = '8080', url]) {
  if (policyPath === undefined) {
    console.error('needs: DATABASE POLICY [PORT] [URL]');
    process.exit(2);
  }
  const policy = new Policy(policyPath);
  const db = await Database.openOrCreate(path, policy);
  policy.close();
  const server = desk(db).listen(Number(port), () => console.log(`listening on port ${server.address().port}`));
  const tell = url === undefined ? async (notice) => console.log(JSON.stringify(notice)) : poster(url);
  let run = Promise.resolve();
  const timer = setInterval(() => {
    // One run after the other, however long they take.
    run = run.then(() => escalate(db, new Date(), tell)).catch((error) => console.error(String(error)));
  }, 60_000);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      clearInterval(timer);
      server.close();
      await run;
      await db.close();
      process.exit(0);
    });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
