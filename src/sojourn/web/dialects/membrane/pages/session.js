// Follows the session: what the server says has changed is drawn by the server, and only the words of an answer that
// is being written are put in here, as text.
const { session, token, themeName } = document.body.dataset;
const shown = () => document.querySelector("main");
const bottom = () => innerHeight + scrollY >= document.body.scrollHeight - 80;
let drawing = null;
let again = false;

async function draw() {
  if (drawing) {
    again = true;
    return drawing;
  }
  drawing = (async () => {
    do {
      again = false;
      const body = new URLSearchParams({ token, sessionId: session, theme: themeName });
      const answer = await fetch("/screens/agent-session", { method: "POST", body });
      if (!answer.ok) return;
      const html = await answer.text();
      // Without the head, whose style has the nonce of another page. What was said cannot contain an end tag.
      const part = html.slice(html.indexOf("<main"), html.lastIndexOf("</main>", html.lastIndexOf("<script")));
      const page = new DOMParser().parseFromString(part, "text/html");
      const open = [...shown().querySelectorAll("details")].map((one) => one.open);
      const atBottom = bottom();
      shown().replaceWith(document.adoptNode(page.querySelector("main")));
      shown().querySelectorAll("details").forEach((one, index) => (one.open = open[index] ?? false));
      if (atBottom) scrollTo(0, document.body.scrollHeight);
    } while (again);
  })();
  await drawing;
  drawing = null;
}

function write({ messageID, offset, text }) {
  const article = document.querySelector(`[data-message="${CSS.escape(messageID)}"]`);
  if (!article) return void draw();
  let place = article.querySelector(".text");
  if (!place) {
    place = document.createElement("div");
    place.className = "text";
    article.append(place);
  }
  const said = [...place.textContent];
  if (said.length < offset) return;
  const atBottom = bottom();
  place.textContent = said.slice(0, offset).join("") + text;
  if (atBottom) scrollTo(0, document.body.scrollHeight);
}

async function follow() {
  const headers = { Authorization: `Bearer ${token}`, "Last-Event-ID": shown().dataset.seq };
  const answer = await fetch(`/agent/sessions/${session}/events`, { headers });
  if (!answer.ok) throw new Error(answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const frames = (rest + value).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      const name = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (name === "delta") write(JSON.parse(data));
      else if (name === "changed" || name === "gap") draw();
    }
  }
}

// The SDK that opened the frame waits for a greeting, in the protocol of npm `penpal` 6, and offers to close it.
function greet() {
  let calls = 0;
  const tell = (message) => parent.postMessage(message, "*");
  const call = (methodName) => tell({ penpal: "call", id: ++calls, methodName, args: [] });
  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.penpal !== "synAck") return;
    tell({ penpal: "ack", methodNames: [] });
    call("handshake");
    const close = document.querySelector(".close");
    close.hidden = false;
    close.addEventListener("click", () => call("close"));
  });
  tell({ penpal: "syn" });
}

(async () => {
  if (parent !== window) greet();
  scrollTo(0, document.body.scrollHeight);
  for (;;) {
    await follow().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await draw().catch(() => {});
  }
})();
