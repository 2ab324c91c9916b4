// As little of a browser as the page's script looks at: one answer that is being written, a frame's opener, a server
// that streams one piece of that answer and one change. Prints what the script did.
const [session, token] = process.argv.slice(2);
const seen = { told: [], asked: [], written: '' };
let hear;
const text = { textContent: 'half' };
const answer = { querySelector: () => text };
const main = { dataset: { seq: '3' }, querySelectorAll: () => [], replaceWith: () => finish() };
const frames = [
  'id: 4\nevent: changed\ndata: {"type":"model.called"}\n\nevent: delta\nda',
  'ta: {"messageID":"msg_1","offset":4,"text":" a word"}\n\n: hb\n\n',
];

globalThis.parent = {
  postMessage: (message) => {
    seen.told.push(message);
    if (message.penpal === 'syn') {
      hear({ source: {}, data: { penpal: 'synAck' } });
      hear({ source: parent, data: { penpal: 'synAck', methodNames: ['handshake'] } });
    }
  },
};
globalThis.window = globalThis;
globalThis.innerHeight = globalThis.scrollY = 0;
globalThis.scrollTo = () => {};
globalThis.addEventListener = (_, listener) => (hear = listener);
globalThis.CSS = { escape: (name) => name };
globalThis.DOMParser = class {
  parseFromString = () => ({ querySelector: () => main });
};
globalThis.document = {
  body: { dataset: { session, token, themeName: 'auto' }, scrollHeight: 0 },
  querySelector: (place) =>
    place === 'main' ? main : place === '.close' ? { addEventListener: () => {} } : place.includes('msg_1') ? answer : null,
  createElement: () => ({}),
  adoptNode: (node) => node,
};
globalThis.fetch = async (url, { headers = {}, body }) => {
  seen.asked.push({ url, headers, body: String(body) });
  if (url === '/screens/agent-session') return new Response('<main></main>');
  const bytes = frames.map((frame) => new TextEncoder().encode(frame));
  return new Response(new ReadableStream({ start: (stream) => bytes.forEach((one) => stream.enqueue(one)) }));
};
function finish() {
  setTimeout(() => {
    seen.written = text.textContent;
    console.log(JSON.stringify(seen));
    process.exit(0);
  }, 50);
}

{
  /* the page's script */
}
