// One life with the server, as the vendor's own client and schemas see it: node vendor.mjs <base> <key> <secret> <pat>
// Prints what it saw as JSON, by the name of the step. A schema that refuses an answer ends it with an error.
import * as S from '@membranehq/sdk';

const [base, workspaceKey, workspaceSecret, pat] = process.argv.slice(2);
const seen = {};
const Page = S.createPaginationResponseSchema(S.AgentSession);
const client = (tenantKey) => new S.MembraneClient({ apiUri: base, workspaceKey, workspaceSecret, tenantKey });
const acme = client('acme');
const path = (id, rest = '') => `/agent/sessions/${id}${rest}`;
const parsed = async (answer) => S.AgentSession.parse(await answer);

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return {
      name: error.constructor.name,
      typed: error instanceof S.MembraneError,
      badRequest: error instanceof S.BadRequestError,
      key: error.data?.key,
      message: error.data?.message ?? error.message,
    };
  }
}

// The script of the contract's acceptance.
const a = await parsed(acme.post('/agent/sessions', { prompt: 'hello', agentName: S.AgentName.MEMBRANE }));
seen.created = a;
seen.waited = await parsed(acme.get(path(a.id), { wait: true, timeout: 30 }));
seen.page = Page.parse(await acme.get('/agent/sessions', { limit: 1 }));
seen.interrupted = await acme.post(path(a.id, '/interrupt'));
seen.messages = await acme.get(path(a.id, '/messages'));
seen.stopped = await parsed(acme.patch(path(a.id, '/stop')));
seen.unknown = await failure(() => acme.get('/agent/sessions/none'));

// Requests that the vendor's own schemas have made.
const input = S.CreateAgentSession.parse({
  prompt: '[{"sleep": 30}]',
  workspaceElementType: 'connector',
  workspaceElementId: 'c1',
  isExternal: true,
  modelId: 'anthropic/claude-sonnet-4.6',
  agentName: 'connection-building',
  promptAttachments: [],
});
const b = await parsed(acme.post('/agent/sessions', input));
seen.external = b;
seen.busy = await parsed(acme.get(path(b.id), { wait: true, timeout: 1 }));
seen.steered = await parsed(
  acme.post(path(b.id, '/message'), S.AgentSessionInputSchema.parse({ input: 'more', synthetic: true })),
);
seen.cut = await acme.post(path(b.id, '/interrupt'));
seen.afterCut = await parsed(acme.get(path(b.id), { wait: '1', timeout: 30 }));
seen.reported = await parsed(
  acme.patch(path(b.id), {
    ...S.PatchAgentSessionSchema.parse({ title: 'Renamed', summary: 'Done', output: { n: 1 }, status: 'failed' }),
    error: S.ErrorDataSchema.parse({ type: 'custom_code', message: 'boom' }),
    lastActivityAt: Date.now(),
  }),
);
seen.resumed = await parsed(acme.post(path(b.id, '/message'), { input: 'again' }));
seen.resumedEnd = await parsed(acme.get(path(b.id), { wait: true }));

// Pages, by the vendor's query schema.
for (let n = 0; n < 3; n++) await acme.post('/agent/sessions', { prompt: `n${n}` });
seen.ids = [];
for (let cursor; ; ) {
  const page = Page.parse(await acme.get('/agent/sessions', S.PaginationQuery.parse({ limit: 2, cursor })));
  seen.ids.push(...page.items.map((one) => one.id));
  if (!(cursor = page.cursor)) break;
}

seen.otherTenant = await failure(() => client('umbrella').get(path(a.id)));
seen.otherList = Page.parse(await client('umbrella').get('/agent/sessions'));
seen.wholeWorkspace = Page.parse(await client(undefined).get('/agent/sessions')).items.length;
seen.byKey = Page.parse(await new S.MembraneClient({ apiUri: base, token: pat }).get('/agent/sessions')).items.length;
seen.noPrompt = await failure(() => acme.post('/agent/sessions', {}));
seen.badLimit = await failure(() => acme.get('/agent/sessions', { limit: 0 }));
seen.wrongSecret = await failure(() =>
  new S.MembraneClient({ apiUri: base, workspaceKey, workspaceSecret: 'wrong', tenantKey: 'acme' }).get('/agent/sessions'),
);
seen.noSuchCall = await failure(() => acme.delete(path(a.id)));

// The polling loops of the example applications: fetch, `wait=1`, and the keys that they look at.
async function poll(id, timeout) {
  for (let round = 0; round < 20; round++) {
    const answer = await fetch(`${base}/agent/sessions/${id}?wait=1&timeout=${timeout}`, {
      headers: { Authorization: `Bearer ${pat}` },
    });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const data = await answer.json();
    if (data.status === 'failed' || data.status === 'cancelled') return data;
    if (data.state === 'idle' || data.status === 'completed') return data;
  }
  throw new Error('it never came to an end');
}
async function start(body) {
  const answer = await fetch(`${base}/agent/sessions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${pat}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const data = await answer.json();
  return { status: answer.status, id: data.id || data.sessionId };
}
const started = await start({ prompt: 'build it', agentName: 'self-integrating' });
seen.polled = await poll(started.id, 50);
seen.polledMessages = await (
  await fetch(`${base}/agent/sessions/${started.id}/messages`, { headers: { Authorization: `Bearer ${pat}` } })
).json();
seen.emptyStart = (await start({})).status;
const slow = await start({ prompt: '[{"sleep": 30}]' });
const polling = poll(slow.id, 30);
await acme.patch(path(slow.id, '/stop')).catch(() => null);
await fetch(`${base}/agent/sessions/${slow.id}/stop`, { method: 'PATCH', headers: { Authorization: `Bearer ${pat}` } });
seen.polledStop = await polling;

console.log(JSON.stringify(seen));
