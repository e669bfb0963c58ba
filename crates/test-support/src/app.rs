use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_web::dev::ServerHandle;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use xmas_activity::ActivityObserver;
use xmas_api::{
    openapi, seed,
    wiring::{App, Ports, passwords},
};
use xmas_cache::Cache;
use xmas_config::{Config, Secrets, Variables};
use xmas_kernel::{Asset, entropy::OsEntropy};
use xmas_players::{ExternalId, Identity, NewAccount, Nickname, Role, create_in_tx};
use xmas_rewards::{Credit, WalletService, Wallets};
use xmas_time::{Clock, DateTime, EventDay, ManualClock, Utc};
use xmas_watch::{
    Watch,
    metrics::{Metrics, StatementMetrics},
};

use crate::TestDb;

/// The OpenAPI document.
pub fn document() -> Value {
    serde_json::to_value(openapi::document()).expect("JSON")
}

/// The application on a free port, over a database of its own that holds the 2025 event, with a
/// clock that stands at nine in the morning of 2025-12-26.
pub struct TestApp {
    pub test: TestDb,
    pub clock: Arc<ManualClock>,
    pub app: App,
    pub readiness: xmas_api::readiness::Readiness,
    watch: Arc<Watch>,
    metrics: Metrics,
    statements: Arc<AtomicU64>,
    address: SocketAddr,
    http: reqwest::Client,
    server: Running,
}

/// A server that ends with its test.
struct Running(ServerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent by the call; nobody needs to wait for the end.
        drop(self.0.stop(false));
    }
}

/// What a test may want different.
#[derive(Default)]
pub struct AppBuilder {
    variables: Vec<(String, String)>,
    observers: Vec<Arc<dyn ActivityObserver>>,
    cache: Option<Arc<dyn Cache>>,
    machine: Option<Arc<dyn Clock>>,
    is_seeded: bool,
}

/// Which every test player and admin logs in with.
const PASSWORD: &str = "test-password";
/// Which access tokens of a [`TestApp`] are signed with.
pub const JWT_SECRET: &str = "the secret of all tests, 32 bytes or more";

impl AppBuilder {
    /// Sets an environment variable of the application.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn observer(mut self, observer: Arc<dyn ActivityObserver>) -> Self {
        self.observers.push(observer);
        self
    }

    /// In place of one in the process's memory.
    pub fn cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// What the machine's clock shows, which is compared with the database's.
    pub fn machine(mut self, clock: Arc<dyn Clock>) -> Self {
        self.machine = Some(clock);
        self
    }

    pub async fn start(self) -> TestApp {
        self.seeded().start_on(TestDb::new().await).await
    }

    /// Writes the 2025 event before it starts.
    pub fn seeded(mut self) -> Self {
        self.is_seeded = true;
        self
    }

    /// Starts on a database that another application has used.
    pub async fn start_on(self, mut test: TestDb) -> TestApp {
        let statements = Arc::new(AtomicU64::new(0));
        let counted = statements.clone();
        test.db.observe_statements(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let clock = Arc::new(ManualClock::at(nine_o_clock()));
        // Races are many requests of one player from one address.
        let raised = [
            ("LOGINS_PER_MINUTE", "100000"),
            ("LOGINS_PER_ACCOUNT_PER_MINUTE", "100000"),
            ("LOGINS_PER_ADDRESS_PER_MINUTE", "100000"),
            ("PLAYER_WRITES_PER_MINUTE", "0"),
            ("PLAYER_READS_PER_MINUTE", "0"),
            ("MAX_REQUESTS", "512"),
            ("MAX_REQUESTS_PER_ADDRESS", "0"),
            ("MAX_CONNECTIONS_PER_ADDRESS", "0"),
            ("MAX_LOGINS", "512"),
            ("MAX_BULK_REQUESTS", "512"),
            ("MAX_UPLOADS", "512"),
            ("REQUEST_SECONDS", "60"),
        ];
        let own = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<_> = raised.into_iter().chain(own).collect();
        let config = Variables::from_pairs(&pairs).and_then(|set| Config::from_variables(&set));
        let config = config.expect("the test's configuration is valid");
        let secret = |text: &str| text.parse().expect("text");
        let secrets = Secrets {
            jwt: secret(JWT_SECRET),
            data_key: secret("the data key of all tests, 32 bytes or more"),
            data_key_previous: None,
        };
        let mut ports = Ports::with_clock(clock.clone());
        ports.observers = self.observers;
        if let Some(cache) = self.cache {
            ports.cache = cache;
        }
        if let Some(machine) = self.machine {
            ports.machine = machine;
        }
        let app = App::new(&test.db, &config, &secrets, ports);
        if self.is_seeded {
            let seeded = seed::event(&app, nine_o_clock()).await;
            seeded.expect("the event can be seeded");
        }
        let yesterday = nine_o_clock() - chrono::TimeDelta::days(1);
        let prepared = app.prepare_draws(yesterday).await;
        prepared.expect("the seeds of the week can be made");
        let readiness = app.readiness().clone();
        let handle = app.clone();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (ready, server) = tokio::sync::oneshot::channel();
        // The server wants a system of its own, which a test's runtime is not.
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = app.serve(listener, &config.limits);
                let server = running.expect("the server starts").server;
                let handle = server.handle();
                // Nobody is left to wait if the test has failed meanwhile.
                drop(ready.send(handle));
                server.await.expect("the server stops in order");
            });
        });
        let watch = Arc::new(handle.new_watch());
        let counted = StatementMetrics::new(Duration::from_millis(200));
        TestApp {
            metrics: handle.metrics(counted, watch.clone()),
            watch,
            test,
            clock,
            app: handle,
            readiness,
            statements,
            address,
            http: reqwest::Client::new(),
            server: Running(server.await.expect("the server has started")),
        }
    }
}

/// Nine in the morning of the event's second day, in Korea.
fn nine_o_clock() -> DateTime<Utc> {
    let day = EventDay::from_ymd(2025, 12, 26).expect("a day");
    day.start() + chrono::TimeDelta::hours(9)
}

impl TestApp {
    pub async fn start() -> Self {
        AppBuilder::default().start().await
    }

    /// What metrics show after the database was looked at once more. Statements are not counted.
    pub async fn metrics(&self) -> String {
        let looked = self.watch.look(self.clock.now()).await;
        looked.expect("the database can be looked at");
        self.counted()
    }

    /// The same after a look that fails.
    pub async fn metrics_of_failed_look(&self) -> String {
        let looked = self.watch.look(self.clock.now()).await;
        looked.expect_err("the database cannot be looked at");
        self.counted()
    }

    /// What metrics show without a look at the database.
    pub fn counted(&self) -> String {
        self.metrics.text().expect("text")
    }

    /// How many statements the application has sent to its database so far.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        self.with_token(None)
    }

    /// A client that sends this token, whatever it is.
    pub fn with_token(&self, token: Option<&str>) -> Client {
        Client {
            http: self.http.clone(),
            base: self.url(""),
            token: token.map(str::to_owned),
            identity: None,
        }
    }

    /// A new player, logged in, with so many roulette coins.
    pub async fn player(&self, external_id: &str, coins: u32) -> Client {
        let identity = self.account(external_id, Role::Player).await;
        if coins > 0 {
            self.give(identity, Asset::RouletteCoin, coins).await;
        }
        self.logged_in(external_id, identity).await
    }

    /// Gives tokens to a player.
    pub async fn give(&self, player: Identity, asset: Asset, amount: u32) {
        let credit = Credit {
            asset,
            amount: amount.into(),
            reason: "TEST",
            reference: "test".to_owned(),
            actor: "test".to_owned(),
        };
        let wallets = Wallets::new(self.test.db.clone());
        let given = wallets.credit(player.user_id, &credit, self.clock.now());
        given.await.expect("the player can be given tokens");
    }

    /// A new admin, logged in.
    pub async fn admin(&self, external_id: &str) -> Client {
        let identity = self.account(external_id, Role::Admin).await;
        self.logged_in(external_id, identity).await
    }

    /// Logs in with the password of all test accounts.
    pub async fn login(&self, external_id: &str) -> Answer {
        let credentials = json!({ "external_id": external_id, "password": PASSWORD });
        self.anonymous().post("/api/auth/token", &credentials).await
    }

    async fn logged_in(&self, external_id: &str, identity: Identity) -> Client {
        let session = self.login(external_id).await.expect_status(200);
        Client {
            identity: Some(identity),
            ..self.with_token(session.body["access_token"].as_str())
        }
    }

    async fn account(&self, external_id: &str, role: Role) -> Identity {
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = async || {
            let config = Config::from_variables(&Variables::default()).expect("defaults are valid");
            let passwords = passwords(&config, Arc::new(OsEntropy));
            passwords
                .hash(PASSWORD)
                .await
                .expect("a password can be hashed")
        };
        let account = NewAccount {
            external_id: ExternalId::try_from(external_id).expect("a valid external id"),
            nickname: Some(Nickname::try_from("산타").expect("a valid nickname")),
            password_hash: HASH.get_or_init(hash).await.clone(),
            role,
        };
        let tx = self.test.db.begin().await.expect("a transaction begins");
        let created = create_in_tx(&tx, account, self.clock.now()).await;
        let identity = created.expect("the external id is free").identity();
        tx.commit().await.expect("the account is kept");
        identity
    }

    /// Stops the server and hands its database on, as after a restart.
    pub async fn stop(self) -> TestDb {
        self.server.0.stop(true).await;
        // Open connections belong to the workers that opened them, which are gone.
        self.test.reconnected().await
    }
}

/// Somebody who talks to the application.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    identity: Option<Identity>,
}

impl Client {
    /// Whose token it is.
    pub fn identity(&self) -> Identity {
        self.identity.expect("a client of a test account")
    }

    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a client with a token")
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Uploads a table.
    pub async fn post_csv(&self, path: &str, table: &str) -> Answer {
        send(csv(self.request(Method::POST, path), table)).await
    }

    /// Uploads a table in place of one that is there.
    pub async fn put_csv(&self, path: &str, table: &str) -> Answer {
        send(csv(self.request(Method::PUT, path), table)).await
    }

    /// With an `Idempotency-Key`.
    pub async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> Answer {
        let request = self.request(Method::POST, path).json(body);
        send(request.header("idempotency-key", key)).await
    }

    /// As the clients do: no body and no content type.
    pub async fn play(&self, path: &str) -> Answer {
        send(self.request(Method::POST, path)).await
    }

    pub async fn play_keyed(&self, path: &str, key: &str) -> Answer {
        send(
            self.request(Method::POST, path)
                .header("idempotency-key", key),
        )
        .await
    }

    /// A request to be made odd; [`send`](Client::send) sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        send(request).await
    }
}

fn csv(request: RequestBuilder, table: &str) -> RequestBuilder {
    let request = request.header("content-type", "text/csv");
    request.body(table.to_owned())
}

async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.expect("the request is well-formed");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let response = client.execute(request).await;
    let response = response.expect("the application answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("the answer is text");
    let answer = Answer {
        path: path.clone(),
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    };
    assert_documented(&method, &path, &answer);
    answer
}

/// Asserts that the OpenAPI document lists the error among those of its operation, if it is one.
fn assert_documented(method: &Method, path: &str, answer: &Answer) {
    static PATHS: LazyLock<Value> = LazyLock::new(|| document()["paths"].take());
    let code = answer.body["error"]["code"].as_str();
    // Too large headers are refused before anybody looks at the path.
    let Some(code) = code.filter(|_| answer.status != 431) else {
        return;
    };
    let parts = |path: &str| -> Vec<String> {
        // Paths of operators are answered with and without a slash at their end.
        let is_admin = path.starts_with("/admin/");
        let path = if is_admin {
            path.trim_end_matches('/')
        } else {
            path
        };
        path.split('/').map(str::to_owned).collect()
    };
    let asked = parts(path);
    let fits = |template: &&String| {
        let known = parts(template);
        let mut pairs = known.iter().zip(&asked);
        known.len() == asked.len()
            && pairs.all(|(known, asked)| match known.split_once('}') {
                Some((_, behind)) => asked.ends_with(behind),
                None => known == asked,
            })
    };
    let paths = PATHS.as_object().expect("an object");
    // Names come before parameters, and longer patterns before shorter ones.
    let best = |template: &&String| (!template.contains('{'), template.len());
    let Some(template) = paths.keys().filter(fits).max_by_key(best) else {
        return;
    };
    let method = match method.as_str() {
        "HEAD" => "get".to_owned(),
        other => other.to_lowercase(),
    };
    // Other methods are answered with a 405 by every path.
    let Some(operation) = paths[template].get(&method) else {
        return;
    };
    let errors = &operation["responses"][answer.status.to_string()]["description"];
    let is_listed = errors
        .as_str()
        .is_some_and(|list| list.contains(&format!("`{code}`")));
    assert!(
        is_listed,
        "{method} {template} does not document {code}: {}",
        answer.text
    );
}

/// What the application answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked for.
    pub path: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// Null if it is not JSON.
    pub body: Value,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Asserts that this is an error of the contract: its status, its code and its shape.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        let detail = self.body["detail"].as_str().unwrap_or_default();
        // To operators it is the first problem itself.
        let is_for_operators = self.path.starts_with("/admin/api/") && code == "VALIDATION_ERROR";
        match self.problems().next() {
            Some(_) if is_for_operators => {
                let says_a_problem = self.problems().any(|it| detail.starts_with(it));
                assert!(says_a_problem, "{}", self.text);
            }
            _ => assert_eq!(detail, code),
        }
        assert!(self.body["error"]["message"].is_string());
        let id = self.headers["x-request-id"].to_str().expect("text");
        assert_eq!(self.body["error"]["request_id"], id);
        assert_eq!(self.headers["content-type"], "application/json");
        self
    }

    /// The code of an error, else nothing.
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// What is wrong, whatever field it is about.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        let details = self.body["error"]["details"].as_object();
        let problems = details.into_iter().flatten();
        let problems = problems.flat_map(|(_, problems)| problems.as_array().into_iter().flatten());
        problems.filter_map(Value::as_str)
    }

    pub fn is_replayed(&self) -> bool {
        self.headers
            .get("idempotency-replayed")
            .is_some_and(|value| value == "true")
    }
}
