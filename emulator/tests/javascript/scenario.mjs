// What a client does, in Node and in a browser alike: connect, listen, answer, invoke once.

export async function run({ signalR, MessagePackHubProtocol, say, url, token, transport, protocol, stateful }) {
  let builder = new signalR.HubConnectionBuilder()
    .withUrl(url, {
      accessTokenFactory: () => token,
      transport: signalR.HttpTransportType[transport],
    })
    .configureLogging(signalR.LogLevel.None);
  if (protocol === "messagepack") {
    builder = builder.withHubProtocol(new MessagePackHubProtocol());
  }
  if (stateful) {
    builder = builder.withStatefulReconnect();
  }
  const connection = builder.build();
  connection.on("say", (...args) => {
    say({ event: "say", arguments: args });
  });
  connection.on("double", (number) => number * 2);
  connection.on("fail", () => {
    throw new Error("no");
  });
  connection.onclose((error) => say({ event: "closed", error: error?.message ?? null }));
  connection.onreconnecting(() => say({ event: "reconnecting" }));
  await connection.start();
  say({ event: "connected", connectionId: connection.connectionId });
  try {
    await connection.invoke("greet", "ann", 42);
  } catch (error) {
    say({ event: "refused", error: error.message });
  }
  return () => connection.stop();
}
