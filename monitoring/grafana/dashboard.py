#!/usr/bin/env python3
"""Writes the dashboard. Only the standard library is needed.

    monitoring/grafana/dashboard.py > monitoring/grafana/dashboards/xmas.json

The JSON is what Grafana reads; scripts/check-monitoring fails if it is not what this prints. A panel is one call below. Titles are
short and in English, as the metrics are; the description behind the (i) of each panel is in English and in Korean.

Every query must have data in scripts/watch-under-load, so nothing may be in here that is only there on a bad day, unless that
script makes one.
"""

import json

# What load balancers ask is no player's request, and is left out of all rates, as in rules/service.yml.
PLAYERS = 'route!~"/health|/livez|/readyz"'
# The routes whose p95 must stay below 500 ms.
BOUND = 'route=~"/api/(season-pass|roulette|dice|lottery)/.+"'
REPLICA = 'instance=~"$instance"'
DURATION = "xmas_http_request_duration_seconds"

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "text"

panels = []
place = {"x": 0, "y": 0, "height": 0}


def add(kind, title, english, korean, queries, unit, width, height, options=None, custom=None, **defaults):
    """Adds a panel to the right of the one before, or below where there is no room. A query is (PromQL, legend)."""
    if place["x"] + width > 24:
        place.update(x=0, y=place["y"] + place["height"], height=0)
    targets = [
        {
            "datasource": DATASOURCE,
            "refId": chr(ord("A") + number),
            "expr": expr,
            "legendFormat": legend,
            **({"instant": True, "range": False} if kind in ("stat", "table") else {"range": True}),
            **({"format": "table"} if kind == "table" else {"format": "heatmap"} if kind == "heatmap" else {}),
        }
        for number, (expr, legend) in enumerate(queries)
    ]
    panels.append(
        {
            "id": len(panels) + 1,
            "type": kind,
            "title": title,
            "description": f"{english}\n\n{korean}",
            "datasource": DATASOURCE,
            "gridPos": {"x": place["x"], "y": place["y"], "w": width, "h": height},
            "fieldConfig": {
                "defaults": {
                    "unit": unit,
                    "custom": custom or {},
                    **{name: value for name, value in defaults.items() if value is not None},
                },
                "overrides": [],
            },
            "options": options or {},
            "targets": targets,
        }
    )
    place["x"] += width
    place["height"] = max(place["height"], height)


def row(title):
    place.update(x=0, y=place["y"] + place["height"], height=0)
    panels.append(
        {
            "id": len(panels) + 1,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": place["y"], "w": 24, "h": 1},
            "panels": [],
        }
    )
    place.update(x=0, y=place["y"] + 1, height=0)


def steps(*colours):
    """Colours from a value on: ("green", None), ("red", 1)."""
    return {"mode": "absolute", "steps": [{"color": colour, "value": value} for colour, value in colours]}


def names(**by_value):
    """Words in the place of numbers: yes="1"."""
    return [
        {
            "type": "value",
            "options": {
                value: {"text": word.replace("_", " "), "index": number} for number, (word, value) in enumerate(by_value.items())
            },
        }
    ]


def stat(title, english, korean, queries, unit="none", thresholds=None, width=3, **defaults):
    if isinstance(queries, str):
        queries = [(queries, "")]
    add(
        "stat",
        title,
        english,
        korean,
        queries,
        unit,
        width,
        4,
        options={
            "colorMode": "background",
            "graphMode": "none",
            "textMode": "value_and_name" if len(queries) > 1 else "value",
            "justifyMode": "center",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        thresholds=thresholds or steps((GREY, None)),
        color={"mode": "thresholds"},
        noValue="?",
        **defaults,
    )


def graph(title, english, korean, *queries, unit="short", width=8, stacked=False, limit=None, **defaults):
    """Lines over time, and a red one at `limit`."""
    custom = {
        "drawStyle": "line",
        "lineWidth": 1,
        "fillOpacity": 30 if stacked else 5,
        "showPoints": "never",
        "spanNulls": 60000,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if limit is not None else "off"},
    }
    add(
        "timeseries",
        title,
        english,
        korean,
        queries,
        unit,
        width,
        8,
        options={
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        custom=custom,
        color={"mode": "palette-classic"},
        thresholds=steps((GREEN, None), (RED, limit)) if limit is not None else steps((GREEN, None)),
        **{"min": 0, **defaults},
    )


def rate(metric, matchers="", by="", window="$__rate_interval"):
    """The sum of the rates of a counter of each process, of the chosen replicas."""
    inner = ", ".join(part for part in (REPLICA, matchers) if part)
    grouping = f" by ({by})" if by else ""
    return f"sum{grouping} (rate({metric}{{{inner}}}[{window}]))"


def quantile(share, metric, matchers="", by="", window="$__rate_interval"):
    by = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(metric + '_bucket', matchers, by, window)})"


def per_minute(metric, labels="", matchers="", by=None):
    """A counter that every replica reads from the database: they all say the same, so the largest counts, once."""
    inner = f"{{{matchers}}}" if matchers else ""
    grouping = f" by ({labels})" if labels else ""
    largest = f"max{grouping} (rate({metric}{inner}[$__rate_interval]))"
    if by is None:
        return f"60 * {largest}"
    return f"60 * sum by ({by}) ({largest})"


OVERLOADED = rate("xmas_http_errors_total", f'code="OVERLOADED", {PLAYERS}')
ALL = rate(f"{DURATION}_count", PLAYERS)
FIVES = f'status="5xx", {PLAYERS}'
FAILED = rate(f"{DURATION}_count", FIVES)
FIVE_MINUTES = rate(f"{DURATION}_count", PLAYERS, window="5m")
YES_NO = names(yes="1", NO="0")
GOOD_ONE = steps((RED, None), (GREEN, 1))

# ---------------------------------------------------------------------------------------------------------------------------
row("Is all well?")
stat(
    "Alerts that fire",
    "Pages need somebody now, tickets in the next working hours. docs/runbook/alerts.md explains each.",
    "page는 지금 바로, ticket은 업무 시간에 처리합니다. 알림마다 docs/runbook/alerts.ko.md에 설명이 있습니다.",
    [
        ('count(ALERTS{alertstate="firing", severity="page"}) or vector(0)', "page"),
        ('count(ALERTS{alertstate="firing", severity="ticket"}) or vector(0)', "ticket"),
    ],
    thresholds=steps((GREEN, None), (RED, 1)),
)
stat(
    "Replicas",
    "How many replicas answer Prometheus.",
    "Prometheus에 응답하는 서버의 수입니다.",
    'count(up{job="xmas-api"} == 1) or vector(0)',
    thresholds=GOOD_ONE,
)
stat(
    "Site from outside",
    "Whether nginx answers /health over TLS, with a replica behind it.",
    "nginx가 TLS로 /health에 응답하는지, 그 뒤에 서버가 있는지를 나타냅니다.",
    'min(probe_success{job="site"})',
    thresholds=GOOD_ONE,
    mappings=YES_NO,
)
stat(
    "Failing requests",
    "Share of requests in five minutes that were answered with 5xx, OVERLOADED among them. Probes do not count.",
    "최근 5분 동안 5xx(OVERLOADED 포함)로 응답한 요청의 비율입니다. 상태 확인 요청은 제외합니다.",
    f"{rate(f'{DURATION}_count', FIVES, window='5m')} / {FIVE_MINUTES} or 0 * {FIVE_MINUTES}",
    unit="percentunit",
    thresholds=steps((GREEN, None), (YELLOW, 0.001), (RED, 0.01)),
    decimals=2,
)
stat(
    "p95, pass and games",
    "Nineteen of twenty requests to the season pass and the games took no longer, in five minutes. It must stay below 500 ms.",
    "최근 5분 동안 시즌 패스와 게임 요청의 95%가 이 시간 안에 끝났습니다. 500ms 미만이어야 합니다.",
    quantile(0.95, DURATION, BOUND, window="5m"),
    unit="s",
    thresholds=steps((GREEN, None), (YELLOW, 0.25), (RED, 0.5)),
)
stat(
    "Database",
    "Whether every replica reaches the database.",
    "모든 서버가 데이터베이스에 연결되는지를 나타냅니다.",
    f"min(xmas_db_up{{{REPLICA}}})",
    thresholds=GOOD_ONE,
    mappings=YES_NO,
)
stat(
    "Schema fits",
    "Whether the database has the migrations that every replica needs.",
    "데이터베이스 스키마가 모든 서버의 버전과 맞는지를 나타냅니다.",
    f"min(xmas_schema_current{{{REPLICA}}})",
    thresholds=GOOD_ONE,
    mappings=YES_NO,
)
stat(
    "Redis",
    "Whether every replica that has a Redis server reaches it. Without it nothing is lost.",
    "Redis를 쓰는 모든 서버가 Redis에 연결되는지를 나타냅니다. 연결되지 않아도 잃는 것은 없습니다.",
    f"max(xmas_cache_shared{{{REPLICA}}}) * (2 * min(xmas_cache_available{{{REPLICA}}}) - 1)",
    thresholds=steps((YELLOW, None), (GREY, 0), (GREEN, 1)),
    mappings=names(yes="1", not_used="0", away="-1"),
)
stat(
    "Season takes stamps",
    "Whether a season runs today.",
    "오늘 진행 중인 시즌이 있는지를 나타냅니다.",
    "max(xmas_season_running)",
    thresholds=steps((GREY, None), (GREEN, 1)),
    mappings=names(yes="1", no="0"),
)
stat(
    "Last stamp",
    "Time since anybody collected a stamp. In the morning it should be minutes.",
    "마지막 도장 이후 지난 시간입니다. 오전에는 몇 분을 넘지 않아야 합니다.",
    "min(xmas_last_stamp_age_seconds)",
    unit="dtdurations",
    thresholds=steps((GREEN, None), (YELLOW, 3600)),
)
stat(
    "Oldest review",
    "How long the oldest reward has waited for an admin.",
    "가장 오래된 보상이 관리자의 확인을 기다린 시간입니다.",
    "max(xmas_review_oldest_seconds)",
    unit="dtdurations",
    thresholds=steps((GREEN, None), (YELLOW, 6 * 3600), (RED, 12 * 3600)),
)
stat(
    "Audit violations",
    "What the last audit found. It must be 0; `xmas-api audit` names them.",
    "마지막 감사에서 발견된 위반의 수입니다. 0이어야 합니다. `xmas-api audit`으로 내용을 봅니다.",
    "max(xmas_audit_violations)",
    thresholds=steps((GREEN, None), (RED, 1)),
)
stat(
    "Settlement late",
    "How long the settlement of the bridge is overdue.",
    "브릿지 정산이 예정보다 늦어진 시간입니다.",
    "max(xmas_settlement_late_seconds)",
    unit="dtdurations",
    thresholds=steps((GREEN, None), (YELLOW, 60), (RED, 1800)),
)
stat(
    "Last backup",
    "Time since the last backup that succeeded.",
    "마지막으로 성공한 백업 이후 지난 시간입니다.",
    "time() - max(xmas_backup_last_success_timestamp_seconds)",
    unit="dtdurations",
    thresholds=steps((GREEN, None), (RED, 26 * 3600)),
)
stat(
    "Certificate expires in",
    "The certificate that expires first of those that nginx shows.",
    "nginx 인증서 중 가장 먼저 만료되는 것의 남은 시간입니다.",
    'min(probe_ssl_earliest_cert_expiry{job="site"}) - time()',
    unit="dtdurations",
    thresholds=steps((RED, None), (YELLOW, 3 * 86400), (GREEN, 14 * 86400)),
)
stat(
    "Figures are of",
    "Time since the figures of the event were read from the database. Usually less than 15 seconds.",
    "이벤트 지표를 데이터베이스에서 마지막으로 읽은 뒤 지난 시간입니다. 보통 15초 이내입니다.",
    "time() - max(xmas_observed_timestamp_seconds)",
    unit="s",
    thresholds=steps((GREEN, None), (RED, 120)),
    decimals=0,
)
add(
    "state-timeline",
    "Alerts",
    "When each alert was pending (its condition holds, but not for long enough yet) and when it fired.",
    "알림별로 대기(조건은 맞지만 아직 지속 시간이 되지 않음)와 발생 시점을 보여 줍니다.",
    [('2 * max by (alertname) (ALERTS{alertstate="firing"}) or max by (alertname) (ALERTS)', "{{alertname}}")],
    "none",
    24,
    6,
    options={
        "showValue": "never",
        "mergeValues": True,
        "rowHeight": 0.8,
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
    },
    thresholds=steps((GREY, None), (YELLOW, 1), (RED, 2)),
    color={"mode": "thresholds"},
    mappings=names(pending="1", fires="2"),
    noValue="none",
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Traffic and latency")
graph(
    "Requests by status",
    "Requests a second of all clients; probes do not count.",
    "초당 요청 수를 상태 코드별로 보여 줍니다. 상태 확인 요청은 제외합니다.",
    (rate(f"{DURATION}_count", PLAYERS, "status"), "{{status}}"),
    unit="reqps",
    stacked=True,
)
graph(
    "Busiest routes",
    "The ten routes with the most requests.",
    "요청이 가장 많은 경로 열 개입니다.",
    (f"topk(10, {rate(f'{DURATION}_count', PLAYERS, 'method, route')})", "{{method}} {{route}}"),
    unit="reqps",
)
graph(
    "Duration, pass and games",
    "How long requests to the season pass and the games take. p95 must stay below the red line.",
    "시즌 패스와 게임 요청의 처리 시간입니다. p95가 빨간 선 아래에 있어야 합니다.",
    (quantile(0.5, DURATION, BOUND), "p50"),
    (quantile(0.95, DURATION, BOUND), "p95"),
    (quantile(0.99, DURATION, BOUND), "p99"),
    unit="s",
    limit=0.5,
)
graph(
    "p95 by route",
    "Of the season pass and the games.",
    "시즌 패스와 게임의 경로별 p95입니다.",
    (quantile(0.95, DURATION, BOUND, "method, route"), "{{method}} {{route}}"),
    unit="s",
    limit=0.5,
)
add(
    "heatmap",
    "Durations of all requests",
    "How many requests took how long; the darker, the more. A second band above the first is something that waits.",
    "요청의 처리 시간 분포입니다. 진할수록 많습니다. 위쪽에 띠가 하나 더 보이면 무언가를 기다리고 있다는 뜻입니다.",
    [(rate(f"{DURATION}_bucket", PLAYERS, "le"), "{{le}}")],
    "reqps",
    8,
    8,
    options={
        "calculate": False,
        "yAxis": {"unit": "s"},
        "color": {"mode": "scheme", "scheme": "Blues", "steps": 32, "exponent": 0.5, "fill": "dark-blue"},
        "cellGap": 1,
        "rowsFrame": {"layout": "auto"},
        "filterValues": {"le": 1e-9},
        "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
        "legend": {"show": False},
    },
)
graph(
    "In progress",
    "Requests in progress and connections open, by replica. Beyond MAX_REQUESTS (256) requests are turned away.",
    "서버별로 처리 중인 요청과 열린 연결의 수입니다. 요청이 MAX_REQUESTS(256)를 넘으면 거절합니다.",
    (f"xmas_http_requests_in_flight{{{REPLICA}}}", "requests {{instance}}"),
    (f"xmas_http_connections{{{REPLICA}}}", "connections {{instance}}"),
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Errors and refusals")
graph(
    "Share that fails",
    "Requests that were turned away as OVERLOADED, and those that failed otherwise. Above 1 % somebody is called.",
    "OVERLOADED로 거절된 요청과 그 밖의 이유로 실패한 요청의 비율입니다. 1%를 넘으면 호출 알림이 갑니다.",
    (f"({FAILED} - ({OVERLOADED} or 0 * {ALL}) or 0 * {ALL}) / {ALL}", "5xx without OVERLOADED"),
    (f"({OVERLOADED} or 0 * {ALL}) / {ALL}", "OVERLOADED"),
    unit="percentunit",
    limit=0.01,
)
graph(
    "5xx by route",
    "Answers of 5xx a second, by route. Empty is good.",
    "경로별 초당 5xx 응답 수입니다. 비어 있으면 정상입니다.",
    (rate(f"{DURATION}_count", FIVES, "method, route"), "{{method}} {{route}}"),
    unit="reqps",
)
graph(
    "Errors by code",
    "The ten codes that clients are answered with most. NOT_ENOUGH_TOKENS, DAILY_LIMIT_REACHED and the like are part of the game.",
    "클라이언트가 가장 많이 받는 오류 코드 열 개입니다. NOT_ENOUGH_TOKENS, DAILY_LIMIT_REACHED 등은 게임에서 늘 생기는 응답입니다.",
    (f"topk(10, {rate('xmas_http_errors_total', PLAYERS, 'code')})", "{{code}}"),
    unit="reqps",
)
graph(
    "Turned away, by limit",
    'What was refused before any work, and by which limit. docs/ARCHITECTURE.md, "When there is too much", names the settings.',
    '처리하기 전에 거절한 요청을 제한별로 보여 줍니다. 설정 이름은 docs/ARCHITECTURE.md의 "When there is too much"에 있습니다.',
    (rate("xmas_http_rejected_total", by="reason"), "{{reason}}"),
    unit="reqps",
    width=12,
)
graph(
    "Draining",
    "Replicas that are stopping: 1 while they answer what they have begun.",
    "종료 중인 서버입니다. 시작한 요청을 마저 처리하는 동안 1입니다.",
    (f"xmas_http_draining{{{REPLICA}}}", "{{instance}}"),
    width=12,
    max=1,
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Database")
graph(
    "Connections",
    "Connections in use of each pool, of all replicas together, and how many there may be. At the line requests wait.",
    "풀별로 사용 중인 연결 수와 최대 수입니다(모든 서버의 합). 최대에 닿으면 요청이 기다립니다.",
    (f'sum by (pool) (xmas_db_connections{{{REPLICA}, state="used"}})', "{{pool}} used"),
    (f'sum by (pool) (xmas_db_connections{{{REPLICA}, state="idle"}})', "{{pool}} idle"),
    (f"sum by (pool) (xmas_db_connections_max{{{REPLICA}}})", "{{pool}} at most"),
)
graph(
    "Wait for a connection, p95",
    "Time until a connection came free. After DATABASE_ACQUIRE_SECONDS (5 s) the request is OVERLOADED.",
    "연결을 얻기까지 기다린 시간입니다. DATABASE_ACQUIRE_SECONDS(5초)가 지나면 OVERLOADED로 응답합니다.",
    (quantile(0.95, "xmas_db_acquire_seconds"), "p95"),
    unit="s",
    limit=0.5,
)
graph(
    "Statements",
    "Statements a second, by kind.",
    "종류별 초당 데이터베이스 문장 수입니다.",
    (rate("xmas_db_statement_duration_seconds_count", by="kind"), "{{kind}}"),
    unit="ops",
    stacked=True,
)
graph(
    "Duration of statements, p95",
    "By kind. An UPDATE also waits for the lock of its row.",
    "종류별 문장 처리 시간입니다. UPDATE에는 행의 락을 기다린 시간도 들어갑니다.",
    (quantile(0.95, "xmas_db_statement_duration_seconds", by="kind"), "{{kind}}"),
    unit="s",
)
graph(
    "Slow and failing statements",
    "Statements that took longer than SLOW_STATEMENT_MILLIS, each of which is in the log, and those that failed. A unique key that "
    "decides a race is such a failure, and in order.",
    "SLOW_STATEMENT_MILLIS보다 오래 걸려 로그에 남은 문장과 실패한 문장입니다. 경합을 가르는 고유 키 위반도 실패로 세며, 이는 정상입니다.",
    (rate("xmas_db_slow_statements_total", by="kind"), "slow {{kind}}"),
    (rate("xmas_db_statement_failures_total", by="kind"), "failed {{kind}}"),
    unit="ops",
)
graph(
    "Errors of the database",
    "What the database could not do: locks, connections, writes, the schema; `commit` is a transaction of which nobody knows whether "
    "it is in there.",
    "데이터베이스가 처리하지 못한 일입니다. 락, 연결, 쓰기, 스키마 등이며, `commit`은 반영 여부를 알 수 없는 트랜잭션입니다.",
    (rate("xmas_db_errors_total", by="kind"), "{{kind}}"),
    unit="ops",
)
graph(
    "Retries and surrenders",
    "Work that was tried again because of a lock, a broken connection or a database that takes no writes, and work for which that "
    "was not enough: its client was told to come back.",
    "락, 연결 끊김, 쓰기 거부 때문에 다시 시도한 작업과, 그래도 되지 않아 나중에 다시 오라고 응답한 작업입니다.",
    (rate("xmas_db_retries_total", by="reason"), "again: {{reason}}"),
    (rate("xmas_db_given_up_total", by="reason"), "given up: {{reason}}"),
    unit="ops",
)
graph(
    "Reachable",
    "1 while the last look of a replica at the database succeeded.",
    "서버가 마지막으로 데이터베이스를 확인했을 때 성공했으면 1입니다.",
    (f"xmas_db_up{{{REPLICA}}}", "{{instance}}"),
    width=12,
    max=1,
)
graph(
    "Clock skew",
    "The clock of each replica minus that of the database. Days begin and end by the clock of the replica.",
    "서버의 시계에서 데이터베이스의 시계를 뺀 값입니다. 하루의 시작과 끝은 서버의 시계를 따릅니다.",
    (f"xmas_db_clock_skew_seconds{{{REPLICA}}}", "{{instance}}"),
    unit="s",
    min=None,
)
graph(
    "Migrations",
    "How many migrations a replica expects, and how many the database has.",
    "서버가 기대하는 마이그레이션 수와 데이터베이스에 있는 수입니다.",
    (f"max by (kind) (xmas_schema_migrations{{{REPLICA}}})", "{{kind}}"),
    min=None,
    decimals=0,
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Cache (Redis)")
READS = rate("xmas_cache_reads_total")
HITS = rate("xmas_cache_reads_total", 'result="hit"')
graph(
    "Hit ratio",
    "Share of the reads from Redis that found something.",
    "Redis 조회 중 값을 찾은 비율입니다.",
    (f"{HITS} / ({READS} > 0)", "hits"),
    unit="percentunit",
    max=1,
)
graph(
    "Reads",
    "Reads a second.",
    "초당 조회 수입니다.",
    (rate("xmas_cache_reads_total", by="result"), "{{result}}"),
    unit="ops",
    stacked=True,
)
graph(
    "Failures and availability",
    "Requests to Redis that failed, and whether each replica uses it. After five failures in a row it is left out until it is back.",
    "실패한 Redis 요청과 서버별 사용 여부입니다. 다섯 번 연속 실패하면 돌아올 때까지 쓰지 않습니다.",
    (rate("xmas_cache_failures_total"), "failures a second"),
    (f"xmas_cache_available{{{REPLICA}}}", "available {{instance}}"),
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Event")
graph(
    "Plays",
    'Plays a minute, by game. What is under "Event" is read from the database every 15 seconds, and does not depend on the replica.',
    '게임별 분당 플레이 수입니다. "Event" 아래의 값은 15초마다 데이터베이스에서 읽으며, 서버와 관계가 없습니다.',
    (per_minute("xmas_plays_total", "game, result", by="game"), "{{game}}"),
    stacked=True,
)
graph(
    "Plays by result",
    "Plays a minute, by what they brought.",
    "결과별 분당 플레이 수입니다.",
    (per_minute("xmas_plays_total", "game, result", by="result"), "{{result}}"),
    stacked=True,
)
graph(
    "Stamps and claims",
    "Stamps that were collected and levels that were claimed, a minute.",
    "분당 도장 수와 레벨 수령 수입니다.",
    (per_minute("xmas_stamps_total"), "stamps"),
    (per_minute("xmas_claims_total"), "claims"),
)
graph(
    "Rewards",
    "Rewards a minute, by what they are and whether they were delivered or wait for an admin.",
    "종류와 상태(지급됨, 확인 대기)별 분당 보상 수입니다.",
    (per_minute("xmas_rewards_total", "type, state"), "{{type}} {{state}}"),
    stacked=True,
)
graph(
    "Tokens and points, in",
    "What went into wallets, a minute, and why. A grant of an operator shows as ADMIN_GRANT.",
    "분당 지갑에 들어온 양과 이유입니다. 운영자의 지급은 ADMIN_GRANT로 나옵니다.",
    (per_minute("xmas_ledger_amount_total", "asset, reason", 'direction="in"'), "{{asset}} {{reason}}"),
)
graph(
    "Tokens and points, out",
    "What went out of wallets, a minute, and why.",
    "분당 지갑에서 나간 양과 이유입니다.",
    (per_minute("xmas_ledger_amount_total", "asset, reason", 'direction="out"'), "{{asset}} {{reason}}"),
)
graph(
    "Stock of limited prizes",
    "How many are left to be won, and how many were ever put in.",
    "수량이 정해진 경품의 남은 수량과 지금까지 넣은 수량입니다.",
    ("max by (prize, name) (xmas_prize_stock)", "{{name}}"),
    ("max by (prize, name) (xmas_prize_stock_supplied)", "{{name}}, put in"),
    decimals=0,
)
graph(
    "Free coupon codes",
    "Codes that can still be given to winners. With none a winner waits in the review queue.",
    "당첨자에게 줄 수 있는 쿠폰 코드의 수입니다. 없으면 당첨자는 확인 대기 목록에서 기다립니다.",
    ("max by (kind) (xmas_coupon_codes_free)", "{{kind}}"),
    decimals=0,
)
graph(
    "Review queue",
    "Rewards that wait for an admin.",
    "관리자의 확인을 기다리는 보상의 수입니다.",
    ("max(xmas_review_pending)", "rewards that wait"),
    decimals=0,
)
graph(
    "Oldest review",
    "How long the oldest reward has waited. Above the line there is a ticket.",
    "가장 오래 기다린 보상의 대기 시간입니다. 선을 넘으면 알림이 갑니다.",
    ("max(xmas_review_oldest_seconds)", "oldest"),
    unit="s",
    limit=12 * 3600,
)
graph(
    "Time since the last stamp",
    "Above the line between 09:00 and 12:00 somebody is called.",
    "오전 9시부터 12시 사이에 선을 넘으면 호출 알림이 갑니다.",
    ("min(xmas_last_stamp_age_seconds)", "last stamp"),
    unit="s",
    limit=3600,
)
graph(
    "Age of these figures",
    "Time since each replica has read them from the database.",
    "서버별로 이 지표를 데이터베이스에서 읽은 뒤 지난 시간입니다.",
    (f"time() - xmas_observed_timestamp_seconds{{{REPLICA}}}", "{{instance}}"),
    unit="s",
    limit=120,
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Bridge, settlement and audit")
graph(
    "Settlement",
    "Players whom the settlement pays, and how many of them it has paid. There is something from 23:00 of the evening before on.",
    "정산에서 지급받을 플레이어와 그중 지급된 플레이어의 수입니다. 정산 전날 23시부터 표시됩니다.",
    ("max(xmas_settlement_eligible)", "eligible"),
    ("max(xmas_settlement_paid)", "paid"),
    decimals=0,
)
graph(
    "Settlement is late by",
    "0 unless a settlement is overdue. Above the line somebody is called.",
    "정산이 늦지 않았으면 0입니다. 선을 넘으면 호출 알림이 갑니다.",
    ("max(xmas_settlement_late_seconds)", "late"),
    unit="s",
    limit=1800,
)
graph(
    "Audit",
    "Violations that the last audit found.",
    "마지막 감사에서 발견된 위반의 수입니다.",
    ("max(xmas_audit_violations)", "violations"),
    width=4,
    decimals=0,
)
graph(
    "Age of the audit",
    "Time since the last audit.",
    "마지막 감사 이후 지난 시간입니다.",
    ("time() - max(xmas_audit_last_run_timestamp_seconds)", "age"),
    unit="s",
    width=4,
    limit=13 * 3600,
)

# ---------------------------------------------------------------------------------------------------------------------------
row("Process")
graph(
    "Memory",
    "Resident memory of each replica.",
    "서버별 메모리 사용량입니다.",
    (f'process_resident_memory_bytes{{job="xmas-api", {REPLICA}}}', "{{instance}}"),
    unit="bytes",
)
graph(
    "CPU",
    "Cores that each replica uses.",
    "서버별로 사용하는 CPU 코어 수입니다.",
    (f'rate(process_cpu_seconds_total{{job="xmas-api", {REPLICA}}}[$__rate_interval])', "{{instance}}"),
)
graph(
    "Open files and sockets",
    "Share of what each replica may open.",
    "서버별로 열 수 있는 파일과 소켓 중 사용 중인 비율입니다.",
    (
        f'process_open_fds{{job="xmas-api", {REPLICA}}} / process_max_fds{{job="xmas-api", {REPLICA}}}',
        "{{instance}}",
    ),
    unit="percentunit",
    limit=0.8,
)
graph(
    "Running for",
    "Time since each replica has started.",
    "서버별로 시작한 뒤 지난 시간입니다.",
    (f'time() - process_start_time_seconds{{job="xmas-api", {REPLICA}}}', "{{instance}}"),
    unit="s",
    width=12,
)
add(
    "table",
    "Versions",
    "What each replica runs.",
    "서버별 버전입니다.",
    [(f"max by (instance, version, commit) (xmas_build_info{{{REPLICA}}})", "")],
    "none",
    12,
    8,
    options={
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""},
    },
)
panels[-1]["transformations"] = [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]

# ---------------------------------------------------------------------------------------------------------------------------
row("Site, machine, backup and notifications")
graph(
    "Probe of the site",
    "How long the site takes to answer from outside, and with which status.",
    "외부에서 본 사이트의 응답 시간입니다.",
    ('probe_duration_seconds{job="site"}', "{{instance}}"),
    unit="s",
)
graph(
    "Status from outside",
    "The HTTP status that the probe gets; 0 is no answer at all.",
    "외부에서 받은 HTTP 상태 코드입니다. 0은 응답이 없었다는 뜻입니다.",
    ('probe_http_status_code{job="site"}', "{{instance}}"),
    unit="none",
    decimals=0,
)
graph(
    "Disk free",
    "Share of each disk that is free.",
    "디스크별로 남은 공간의 비율입니다.",
    (
        'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay"} / node_filesystem_size_bytes',
        "{{mountpoint}}",
    ),
    unit="percentunit",
    max=1,
)
graph(
    "Size of the last backup",
    "It only grows while the event runs.",
    "이벤트 기간에는 커지기만 해야 합니다.",
    ("max(xmas_backup_size_bytes)", "size"),
    unit="bytes",
)
graph(
    "Age of the last backup",
    "Above the line there is a ticket.",
    "선을 넘으면 알림이 갑니다.",
    ("time() - max(xmas_backup_last_success_timestamp_seconds)", "age"),
    unit="s",
    limit=26 * 3600,
)
graph(
    "Notifications",
    "What Alertmanager has sent to webhooks and what of it failed, in five minutes.",
    "최근 5분 동안 Alertmanager가 웹훅으로 보낸 알림과 실패한 알림의 수입니다.",
    ('sum(increase(alertmanager_notifications_total{integration="webhook"}[5m]))', "sent"),
    ('sum(increase(alertmanager_notifications_failed_total{integration="webhook"}[5m]))', "failed"),
    decimals=0,
)

dashboard = {
    "uid": "xmas-1week",
    "title": "XMAS 1Week",
    "description": "Whether the event is well, and where to look if it is not. Written by monitoring/grafana/dashboard.py.",
    "tags": ["xmas"],
    "schemaVersion": 39,
    "version": 1,
    "editable": True,
    "graphTooltip": 1,
    "timezone": "Asia/Seoul",
    "weekStart": "monday",
    "refresh": "30s",
    "time": {"from": "now-3h", "to": "now"},
    "timepicker": {},
    "fiscalYearStartMonth": 0,
    "liveNow": False,
    "links": [],
    "annotations": {
        "list": [
            {
                "name": "Starts",
                "datasource": DATASOURCE,
                "enable": True,
                "hide": False,
                "iconColor": BLUE,
                "expr": 'process_start_time_seconds{job="xmas-api", instance=~"$instance"} * 1000',
                "useValueForTime": True,
                "titleFormat": "start",
                "textFormat": "{{instance}}",
                "step": "60s",
            }
        ]
    },
    "templating": {
        "list": [
            {
                "name": "datasource",
                "label": "Prometheus",
                "type": "datasource",
                "query": "prometheus",
                "current": {"text": "Prometheus", "value": "xmas-prometheus"},
                "hide": 0,
                "refresh": 1,
                "regex": "",
                "multi": False,
                "includeAll": False,
            },
            {
                "name": "instance",
                "label": "Replica",
                "type": "query",
                "datasource": DATASOURCE,
                "definition": 'label_values(up{job="xmas-api"}, instance)',
                "query": {"qryType": 1, "query": 'label_values(up{job="xmas-api"}, instance)', "refId": "instance"},
                "current": {"text": ["All"], "value": ["$__all"]},
                "multi": True,
                "includeAll": True,
                "allValue": ".+",
                "refresh": 2,
                "sort": 1,
                "hide": 0,
                "regex": "",
            },
        ]
    },
    "panels": panels,
}

print(json.dumps(dashboard, ensure_ascii=False, indent=2))
