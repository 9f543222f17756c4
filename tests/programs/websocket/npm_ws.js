// npm's ws both ways: a client of the example's /ws, and a server for the example ws_client.
// Its arguments: the port, and the program.
"use strict";
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const crypto = require("node:crypto");
const { WebSocket, WebSocketServer } = require("ws");

let checks = 0;

function check(condition, what) {
  assert(condition, what);
  checks += 1;
}

async function message(peer) {
  const [data, isBinary] = await once(peer, "message");
  return isBinary ? data : data.toString();
}

async function expectEchoes(peer) {
  for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1000000]) {
    const text = Array.from({ length: size }, (_, at) => "aé€"[at % 3]).join("");
    let answer = message(peer);
    peer.send(text);
    check((await answer) === text, `a text of ${size} units`);
    const data = crypto.randomBytes(size);
    answer = message(peer);
    peer.send(data);
    check(data.equals(await answer), `${size} bytes`);
  }
  let answer = message(peer);
  peer.send("one ", { fin: false });
  peer.ping("between");
  peer.send("", { fin: false });
  peer.send("two", { fin: true });
  const [pong] = await once(peer, "pong");
  check(pong.toString() === "between", "a pong between fragments");
  check((await answer) === "one two", "fragments");
}

async function main() {
  const [port, program] = process.argv.slice(2);

  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await once(client, "open");
  check(client.extensions === "", "compression is not agreed on");
  await expectEchoes(client);
  client.close(4000, "enough");
  const [code] = await once(client, "close");
  check(code === 4000, "the code comes back");

  const refused = new WebSocket(`ws://127.0.0.1:${port}/ws`, { origin: "http://evil.example" });
  const [error] = await once(refused, "error");
  check(/403/.test(error.message), "403 for another origin");

  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
  await once(server, "listening");
  const child = spawn(program, [`ws://127.0.0.1:${server.address().port}/`], { stdio: "inherit" });
  const [peer] = await once(server, "connection");
  await expectEchoes(peer);
  peer.close(3000, "done");
  const [[back], [status]] = await Promise.all([once(peer, "close"), once(child, "exit")]);
  check(back === 3000, "the code comes back");
  check(status === 0, "a close that is as it should be");
  server.close();
  console.log(checks, "checks");
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
