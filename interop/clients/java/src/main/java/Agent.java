import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import com.microsoft.signalr.TransportEnum;
import io.reactivex.rxjava3.core.Single;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A client of com.microsoft.signalr that does what lines of standard input say. */
public final class Agent {
  private static final Gson GSON = new GsonBuilder().serializeNulls().create();

  private final HubConnection connection;

  private Agent(Map<String, String> options) {
    TransportEnum transport =
        options.get("--transport").equals("longPolling")
            ? TransportEnum.LONG_POLLING
            : TransportEnum.WEBSOCKETS;
    connection =
        HubConnectionBuilder.create(options.get("--url")).withTransport(transport).build();
    connection.onClosed(
        error ->
            report("closed", "error", error == null ? JsonNull.INSTANCE : text(error)));
  }

  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    Agent agent = new Agent(options);
    introduce();
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      agent.obey(GSON.fromJson(line, JsonObject.class));
    }
    // The library's threads would keep the process.
    System.exit(0);
  }

  private static void introduce() {
    JsonArray capabilities = new JsonArray();
    List.of("send", "invoke", "results").forEach(capabilities::add);
    report(
        "ready",
        "library", new JsonPrimitive("com.microsoft.signalr"),
        "version", new JsonPrimitive(version()),
        "capabilities", capabilities);
  }

  /** The library's version, which only its file's name says. */
  private static String version() {
    String file =
        HubConnection.class.getProtectionDomain().getCodeSource().getLocation().getPath();
    Matcher named = Pattern.compile("signalr-(.+)\\.jar$").matcher(file);
    return named.find() ? named.group(1) : "unknown";
  }

  private void obey(JsonObject command) {
    try {
      carryOut(command);
    } catch (RuntimeException error) {
      report("failed", "error", text(error));
    }
  }

  private void carryOut(JsonObject command) {
    switch (command.get("do").getAsString()) {
      case "start" -> {
        connection.start().blockingAwait();
        report("connected");
      }
      case "on" -> on(target(command), command.get("parameters").getAsInt());
      case "answer" -> answer(target(command), command.get("value"));
      case "send" -> {
        connection.send(target(command), arguments(command));
        report("sent");
      }
      case "invoke" -> invoke(command);
      case "stop" -> connection.stop().blockingAwait();
      default -> throw new IllegalArgumentException("unknown command: " + command);
    }
  }

  /** Register a handler. The library calls none that has another number of parameters. */
  private void on(String target, int parameters) {
    Class<JsonElement> any = JsonElement.class;
    switch (parameters) {
      case 1 -> connection.on(target, first -> message(target, first), any);
      case 2 -> connection.on(target, (first, second) -> message(target, first, second), any, any);
      case 4 ->
          connection.on(
              target,
              (first, second, third, fourth) -> message(target, first, second, third, fourth),
              any, any, any, any);
      default -> throw new IllegalArgumentException("no handler of " + parameters + " parameters");
    }
  }

  private static void message(String target, JsonElement... values) {
    JsonArray arguments = new JsonArray();
    List.of(values).forEach(arguments::add);
    report("message", "target", new JsonPrimitive(target), "arguments", arguments);
  }

  private void answer(String target, JsonElement value) {
    connection.onWithResult(target, argument -> Single.just(value), JsonElement.class);
  }

  private void invoke(JsonObject command) {
    JsonElement id = command.get("id");
    connection
        .invoke(JsonElement.class, target(command), arguments(command))
        .subscribe(
            value -> report("result", "id", id, "value", value),
            error -> report("result", "id", id, "error", text(error)));
  }

  private static String target(JsonObject command) {
    return command.get("target").getAsString();
  }

  private static Object[] arguments(JsonObject command) {
    return GSON.fromJson(command.get("arguments"), JsonElement[].class);
  }

  private static JsonElement text(Throwable error) {
    return new JsonPrimitive(String.valueOf(error.getMessage()));
  }

  /** Print an event; the library reports from threads of its own. */
  private static synchronized void report(String event, Object... fields) {
    JsonObject line = new JsonObject();
    line.addProperty("event", event);
    for (int i = 0; i < fields.length; i += 2) {
      line.add((String) fields[i], (JsonElement) fields[i + 1]);
    }
    System.out.println(GSON.toJson(line));
  }
}
