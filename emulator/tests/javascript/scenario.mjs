// What a client does, in Node and in a browser alike: connect, listen, answer, invoke once.
// In the mode "stream" it asks for two streams instead, in the mode "many" it invokes 300 times at
// once, and in the mode "too-long" it says too much; "stateful" and "reconnect" name what it does
// when its connection is lost.

export async function run({ signalR, MessagePackHubProtocol, say, url, token, transport, protocol, mode }) {
  let builder = new signalR.HubConnectionBuilder()
    .withUrl(url, {
      accessTokenFactory: () => token,
      transport: signalR.HttpTransportType[transport],
    })
    .configureLogging(signalR.LogLevel.None);
  if (protocol === "messagepack") {
    builder = builder.withHubProtocol(new MessagePackHubProtocol());
  }
  if (mode === "stateful") {
    builder = builder.withStatefulReconnect();
  }
  if (mode === "reconnect" || mode === "too-long") {
    builder = builder.withAutomaticReconnect([0]);
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
  connection.onreconnecting((error) => say({ event: "reconnecting", error: error?.message }));
  connection.onreconnected((connectionId) => say({ event: "reconnected", connectionId }));
  await connection.start();
  say({ event: "connected", connectionId: connection.connectionId });
  if (mode === "stream") {
    stream(connection, say, "count");
    stream(connection, say, "fail");
  } else if (mode === "many") {
    const numbers = Array.from({ length: 300 }, (_, number) => number);
    const invoke = (number) => connection.invoke("echo", number, "x".repeat(8192));
    say({ event: "answered", results: await Promise.all(numbers.map(invoke)) });
  } else {
    try {
      const argument = mode === "too-long" ? "x".repeat(17 * 1024 * 1024) : 42;
      await connection.invoke("greet", "ann", argument);
    } catch (error) {
      say({ event: "refused", error: error.message });
    }
  }
  return () => connection.stop();
}

function stream(connection, say, target) {
  connection.stream(target, 3).subscribe({
    next: (item) => say({ event: "item", target, item }),
    complete: () => say({ event: "complete", target }),
    error: (error) => say({ event: "error", target, error: error.message }),
  });
}
