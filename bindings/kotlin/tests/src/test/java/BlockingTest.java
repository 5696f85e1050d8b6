import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import cliauth.CancelledException;
import cliauth.CliAuth;
import cliauth.CliAuthException;
import cliauth.Client;
import cliauth.ClientAuth;
import cliauth.ClientOptions;
import cliauth.DeniedException;
import cliauth.Event;
import cliauth.Identity;
import cliauth.Login;
import cliauth.Pkce;
import cliauth.Prompt;
import cliauth.Secret;
import cliauth.Step;
import cliauth.Tokens;
import cliauth.UnsupportedException;
import cliauth.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The package as a program in Java sees it. */
class BlockingTest {
    private static Server server(String name, Object value) {
        return new Server(Map.of(name, value));
    }

    private static Client client(Server server) {
        return Client.authKit("client_test", options -> {
            options.setApiBase(server.getUrl());
            server.trust(options);
        });
    }

    @Test
    void aWholeLogin() throws InterruptedException {
        try (Server server = new Server(Map.of("answer", "approve", "answer_after_polls", 1));
                Client client = client(server);
                Login login = client.login()) {
            Prompt prompt = login.startBlocking();
            assertTrue(prompt.text().contains(prompt.getUserCode()));
            List<Event> events = new ArrayList<>();
            Tokens tokens = login.pollBlocking(events::add);
            assertEquals(1, events.size());
            assertTrue(((Event.Pending) events.get(0)).getNextPollIn().toMillis() >= 1000);
            Identity user = tokens.getIdentity();
            assertTrue(CliAuth.sanitize(user.getSubject()).startsWith("user_"));
            assertTrue(user.getEmailVerified());
            assertEquals("\"" + user.getEmail() + "\"", user.getClaims().get("email"));
            assertEquals("****", tokens.getAccessToken().toString());
            Tokens refreshed = client.refreshBlocking(tokens.getRefreshToken());
            assertTrue(refreshed.getAccessToken().expose().startsWith("ey"));
            Tokens again = client.refreshBlocking(refreshed.getRefreshToken(), options -> {
                options.setSubject(user.getSubject());
                options.scopes("read").scopes(List.of("write")).param("resource", "https://api.example.com");
            });
            assertEquals(user.getSubject(), again.getIdentity().getSubject());
            assertThrows(UnsupportedException.class, () -> client.userInfoBlocking(again.getAccessToken()));
            assertThrows(UnsupportedException.class, () -> client.userInfoBlocking(again.getAccessToken(), "user_1"));
            assertThrows(NullPointerException.class, () -> client.userInfoBlocking(null));
        }
    }

    @Test
    void everySettingHasAName() {
        ClientOptions[] seen = new ClientOptions[1];
        Client.forIssuer("https://id.example.com", "x", options -> {
            options.setProduct("my-cli/1.0");
            options.setLoginTimeout(Duration.ofMinutes(2));
            options.setPkce(Pkce.NEVER);
            options.setVerifyIdToken(false);
            options.setDeviceAuthorizationEndpoint("https://id.example.com/device");
            options.setTokenEndpoint("https://id.example.com/token");
            options.setRevocationEndpoint("https://id.example.com/revoke");
            options.scopes("openid", "offline_access")
                    .scopes(List.of("profile"))
                    .param("audience", "api")
                    .tokenParam("audience", "api")
                    .refreshParam("audience", "api")
                    .header("X-Tool", "mine")
                    .clientSecret(new Secret("s"))
                    .clientSecret(new Secret("s"), ClientAuth.CLIENT_SECRET_POST);
            seen[0] = options;
        }).close();
        assertEquals("my-cli/1.0", seen[0].getProduct());
        Client.authKit("x").close();
        Client.workosConnect("acme.authkit.app", "x").close();
        Client.withEndpoints("https://h/device", "https://h/token", "x").close();
    }

    @Test
    void anErrorIsUncheckedAndSaysWhatToDo() {
        try (Server server = server("answer", "deny"); Client client = client(server); Login login = client.login()) {
            CliAuthException error = assertThrows(DeniedException.class, () -> {
                login.startBlocking();
                login.pollBlocking();
            });
            assertEquals("denied", error.getKind());
            assertEquals("\"access_denied\"", error.getMembers().get("error").expose());
        }
    }

    @Test
    void anExceptionOfTheConsumerComesOutAsItIs() throws InterruptedException {
        try (Server server = new Server(Map.of()); Client client = client(server); Login login = client.login()) {
            login.startBlocking();
            IllegalArgumentException mine = new IllegalArgumentException("mine");
            assertSame(mine, assertThrows(IllegalArgumentException.class, () -> login.pollBlocking(event -> {
                throw mine;
            })));
        }
    }

    @Test
    void aFutureThatIsCancelledEndsTheLogin() throws Exception {
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try (Server server = server("interval", 60); Client client = client(server); Login login = client.login()) {
            login.startBlocking();
            CountDownLatch begun = new CountDownLatch(1);
            Future<Tokens> tokens = pool.submit(() -> {
                begun.countDown();
                return login.pollBlocking();
            });
            begun.await();
            tokens.cancel(true);
            pool.shutdown();
            assertTrue(pool.awaitTermination(50, TimeUnit.SECONDS));
            assertThrows(CancelledException.class, () -> login.pollBlocking());
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void aLoopOfSteps() throws InterruptedException {
        try (Server server = server("answer", "approve"); Client client = client(server); Login login = client.login()) {
            Step step;
            do {
                step = login.stepBlocking(Duration.ZERO);
                if (step instanceof Waiting) {
                    Thread.sleep(Math.min(100, ((Waiting) step).getDueIn().toMillis() + 1));
                }
            } while (!(step instanceof Tokens));
        }
    }
}
