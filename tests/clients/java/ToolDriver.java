import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools, many in one JVM. A job is a line of JSON, {"class", "arguments", "input"}; its answer
 * is {"exit", "output", "errors"}. What a tool does after it exited for the first time is not seen, as if its process had
 * ended there; its shutdown hooks have run before the answer.
 */
public class ToolDriver {
    private static final int SECONDS_MAX = 120;

    static class Ended extends Error {
        Ended() {
            super("the tool has ended", null, false, false);
        }
    }

    /** One run of a tool. */
    static class Run {
        final ByteArrayOutputStream output = new ByteArrayOutputStream();
        final ByteArrayOutputStream errors = new ByteArrayOutputStream();
        final List<Thread> hooks = new ArrayList<>();
        Integer code;

        synchronized void end(int status) {
            if (code == null) {
                code = status;
                for (Thread hook : hooks) hook.start();
                for (Thread hook : hooks) {
                    try {
                        hook.join();
                    } catch (InterruptedException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                }
                PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
                System.setOut(nowhere);
                System.setErr(nowhere);
            }
        }

        void call(String tool, String[] arguments) {
            try {
                Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
            } catch (InvocationTargetException failure) {
                if (!(failure.getCause() instanceof Ended)) {
                    System.err.print("Exception in thread \"main\" ");
                    failure.getCause().printStackTrace();
                    end(1);
                }
            } catch (ReflectiveOperationException failure) {
                throw new IllegalStateException(failure);
            }
            end(0);
        }
    }

    public static void main(String[] none) throws Exception {
        ObjectMapper json = new ObjectMapper();
        PrintStream answers = System.out;
        BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
            JsonNode job = json.readTree(line);
            List<String> arguments = new ArrayList<>();
            job.get("arguments").forEach(argument -> arguments.add(argument.asText()));
            Run run = new Run();
            Exit.Procedure end = (status, message) -> {
                run.end(status);
                throw new Ended();
            };
            Exit.setExitProcedure(end);
            Exit.setHaltProcedure(end);
            Exit.setShutdownHookAdder((name, action) -> run.hooks.add(new Thread(action, name)));
            InputStream input = new ByteArrayInputStream(job.get("input").asText().getBytes("UTF-8"));
            System.setIn(input);
            System.setOut(new PrintStream(run.output, true, "UTF-8"));
            System.setErr(new PrintStream(run.errors, true, "UTF-8"));
            Thread tool = new Thread(() -> run.call(job.get("class").asText(), arguments.toArray(new String[0])), "main");
            tool.setDaemon(true);
            tool.start();
            tool.join(SECONDS_MAX * 1000L);
            ObjectNode answer = json.createObjectNode();
            boolean stuck = tool.isAlive();
            answer.put("exit", stuck ? "none in " + SECONDS_MAX + " s" : String.valueOf(run.code));
            answer.put("output", run.output.toString("UTF-8"));
            answer.put("errors", run.errors.toString("UTF-8"));
            answers.println(json.writeValueAsString(answer));
            answers.flush();
            if (stuck) Runtime.getRuntime().halt(1);
        }
    }
}
