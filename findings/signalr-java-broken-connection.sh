#!/usr/bin/env bash
# com.microsoft.signalr 9.0.3: a connection that breaks is reported as one that was stopped.
#
# Behaviour: `onClosed` gets the reason why a connection ended. When the network breaks a WebSocket
# it gets null, exactly as after `stop()`. The library knows better: it logs "WebSocket closed from
# an error" with an EOFException, and gives the reason of a server that closes with one.
# Expected: the EOFException, as the clients in JavaScript and .NET give theirs; it is null there
# after `stop()` alone.
# Hurts: this client does not reconnect, so programs do it in `onClosed`, "if there was an error".
# They never come back from what breaks most connections; without the condition they come back
# from their own `stop()`.
#
# Output seen:
#   | stop(): closed with null
#   | the server closes with a reason: closed with maintenance
#   | the network breaks the connection: closed with null
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>findings</groupId>
  <artifactId>broken-connection</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.microsoft.signalr</groupId>
      <artifactId>signalr</artifactId>
      <version>9.0.3</version>
    </dependency>
  </dependencies>
</project>
XML
mvn --quiet --batch-mode --file "$folder/pom.xml" \
  org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DoutputDirectory="$folder/libraries" > "$folder/log" 2>&1 || {
  cat "$folder/log" >&2
  exit 1
}

cat > "$folder/Broken.java" <<'JAVA'
import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import com.microsoft.signalr.TransportEnum;
import java.io.DataInputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A SignalR server that does one thing after the handshake, and what its client is told. */
class Broken {
  interface Ending {
    void of(Socket socket, HubConnection client) throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    show("stop()", (socket, client) -> {
      client.stop().subscribe();
      answerClose(socket);
    });
    show("the server closes with a reason", (socket, client) -> {
      send(socket, "{\"type\":7,\"error\":\"maintenance\"}\u001e");
      answerClose(socket);
    });
    show("the network breaks the connection", (socket, client) -> socket.close());
    System.exit(0);
  }

  static void show(String title, Ending ending) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      HubConnection client =
          HubConnectionBuilder.create("http://localhost:" + server.getLocalPort())
              .shouldSkipNegotiate(true)
              .withTransport(TransportEnum.WEBSOCKETS)
              .build();
      CompletableFuture<String> closed = new CompletableFuture<>();
      client.onClosed(error -> closed.complete(error == null ? "null" : error.getMessage()));
      var started = new CompletableFuture<Void>();
      client.start().subscribe(() -> started.complete(null));
      Socket socket = server.accept();
      shakeHands(socket);
      started.get(10, TimeUnit.SECONDS);
      ending.of(socket, client);
      System.out.println(title + ": closed with " + closed.get(10, TimeUnit.SECONDS));
    }
  }

  /** Accept the WebSocket (RFC 6455), then answer SignalR's handshake. */
  static void shakeHands(Socket socket) throws Exception {
    DataInputStream input = new DataInputStream(socket.getInputStream());
    String key = "";
    for (String line = input.readLine(); !line.isEmpty(); line = input.readLine()) {
      if (line.toLowerCase().startsWith("sec-websocket-key:")) {
        key = line.substring(line.indexOf(':') + 1).strip();
      }
    }
    byte[] proof = (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.UTF_8);
    String accepted =
        Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-1").digest(proof));
    OutputStream output = socket.getOutputStream();
    output.write(
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: " + accepted + "\r\n\r\n")
            .getBytes(StandardCharsets.UTF_8));
    input.readByte();
    int length = input.readByte() & 0x7f;
    input.readNBytes(4 + length);
    send(socket, "{}\u001e");
  }

  /** Answer the client's close frame by one. */
  static void answerClose(Socket socket) throws Exception {
    new DataInputStream(socket.getInputStream()).readByte();
    socket.getOutputStream().write(new byte[] {(byte) 0x88, 2, 3, (byte) 0xe8});
  }

  static void send(Socket socket, String text) throws Exception {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    OutputStream output = socket.getOutputStream();
    output.write(new byte[] {(byte) 0x81, (byte) payload.length});
    output.write(payload);
  }
}
JAVA
java -cp "$folder/libraries/*" "$folder/Broken.java" > "$folder/seen" 2> "$folder/log" || {
  cat "$folder/seen" "$folder/log" >&2
  exit 1
}
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
