// A real SignalR client in Node: says in JSON lines what it sees, ends when its standard input does.
//
//   node client.mjs <hub URL> <client token> <transport> <protocol> [stateful | reconnect | stream | many | too-long]

import * as signalR from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { run } from "./scenario.mjs";

const [url, token, transport, protocol, mode] = process.argv.slice(2);
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const stop = await run({ signalR, MessagePackHubProtocol, say, url, token, transport, protocol, mode });
process.stdin.resume();
process.stdin.on("end", stop);
