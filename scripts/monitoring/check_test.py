"""Breaks a copy of monitoring/ in every way that check.py is there to find, and looks whether it does.

scripts/check-monitoring --self-test"""

import contextlib
import io
import re
import shutil
import tempfile
import unittest
from pathlib import Path

import check
import dashboards
import exposition
import promql

HERE = check.ROOT


def everything_exported():
    """All that docs/metrics.md lists, as a text of metrics, with the values that rules, dashboard and tests name."""
    series = {(metric, label, "x") for metric, labels in check.documented().items() for label in labels or [""]}
    reads = [alert.read for alert in check.load_alerts()]
    reads += [promql.read(query.filled_in()) for query in dashboards.queries(dashboards.load(check.DASHBOARD))]
    for read in reads:
        for selector in read.selectors:
            for matcher in selector.matchers:
                series |= {(selector.metric, matcher.label, value) for value in matcher.values() or ()}
    for _, _, _, _, given in check.load_tests():
        for metric, labels in given:
            series |= {(metric, label, value) for label, value in labels.items()}
    return "\n".join(
        f'{metric}{{{label}="{value}"}} 1' if label else f"{metric} 1"
        for metric, label, value in sorted(series)
        if metric not in check.OTHERS and label not in check.TARGET_LABELS
    )


class Breaking(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        check.use(HERE)
        with contextlib.redirect_stdout(io.StringIO()):
            cls.metrics = everything_exported()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        shutil.copytree(HERE / "monitoring", self.root / "monitoring")
        shutil.copytree(HERE / "docs", self.root / "docs")
        check.use(self.root)
        check.problems.clear()

    def found(self, metrics=None):
        """What is found in the copy, in one text."""
        with contextlib.redirect_stdout(io.StringIO()):
            check.check_all(metrics or self.metrics)
        return "\n".join(check.problems)

    def replace(self, path, old, new, times=1):
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        self.assertIn(old, text)
        file.write_text(text.replace(old, new, times), encoding="utf-8")

    def breaks(self, path, old, new, problem, times=1):
        self.replace(path, old, new, times)
        self.assertIn(problem, self.found())

    def test_nothing_is_found_as_it_is(self):
        self.assertEqual(self.found(), "")

    def test_nothing_is_found_without_the_program(self):
        with contextlib.redirect_stdout(io.StringIO()):
            check.check_all()
        self.assertEqual(check.problems, [])

    def test_names_are_compared_without_the_program_too(self):
        self.replace("monitoring/rules/stores.yml", "max(xmas_db_up) == 0", "max(xmas_db_upp) == 0")
        self.replace("monitoring/rules/stores.yml", "xmas_schema_current", 'xmas_db_errors_total{reason="lock"}')
        with contextlib.redirect_stdout(io.StringIO()):
            check.check_all()
        problems = "\n".join(check.problems)
        self.assertIn("nothing exports xmas_db_upp", problems)
        self.assertIn("xmas_db_errors_total has no label reason", problems)

    def test_a_page_of_metrics_that_is_not_right(self):
        more = self.metrics.replace("xmas_db_up 1", 'xmas_db_up{host="x"} 1').replace("xmas_review_pending 1", "xmas_new 1")
        found = self.found(more)
        self.assertIn("docs/metrics.md says that xmas_db_up has the labels []; it has ['host']", found)
        self.assertIn("docs/metrics.md has no xmas_new", found)
        self.assertIn("docs/metrics.md has xmas_review_pending, which the program does not show", found)

    def test_a_misspelt_metric_in_a_rule(self):
        self.breaks("monitoring/rules/stores.yml", "max(xmas_db_up) == 0", "max(xmas_db_upp) == 0", "nothing exports xmas_db_upp")

    def test_a_misspelt_metric_in_the_dashboard(self):
        self.breaks(
            "monitoring/grafana/dashboards/xmas.json",
            "max(xmas_review_pending)",
            "max(xmas_review_pendin)",
            "A): nothing exports xmas_review_pendin;",
        )

    def test_a_misspelt_metric_in_a_test(self):
        self.breaks(
            "monitoring/rules/tests/stores.yml", "xmas_cache_shared{", "xmas_cache_share{", "nothing exports xmas_cache_share"
        )

    def test_an_unknown_label_in_a_query(self):
        self.breaks(
            "monitoring/grafana/dashboards/xmas.json",
            'state=\\"used\\"',
            'stat=\\"used\\"',
            "xmas_db_connections has no label stat",
        )

    def test_an_unknown_label_to_group_by(self):
        self.breaks("monitoring/rules/event.yml", "max by (prize, name)", "max by (price, name)", "groups by price", times=9)

    def test_an_unknown_value(self):
        self.breaks(
            "monitoring/rules/stores.yml", 'reason="lock"', 'reason="locks"', "xmas_db_given_up_total has no reason 'locks'"
        )

    def test_an_unknown_value_that_is_left_out(self):
        self.breaks("monitoring/rules/service.yml", "/health|/livez", "/healthz|/livez", "has no route '/healthz'")

    def test_an_error_code_that_is_not_in_the_contract(self):
        self.breaks("monitoring/rules/service.yml", 'code="OVERLOADED"', 'code="OVERLOAD"', "has no code 'OVERLOAD'")

    def test_a_pattern_that_fits_no_route(self):
        self.breaks("monitoring/rules/service.yml", "/api/(season-pass|", "/apis/(season-pass|", "no route of", times=2)

    def test_an_annotation_with_a_label_that_is_not_there(self):
        self.breaks("monitoring/rules/stores.yml", "{{ $labels.reason }}", "{{ $labels.why }}", "names the label why")

    def test_a_legend_with_a_label_that_is_not_there(self):
        self.breaks("monitoring/grafana/dashboards/xmas.json", '"{{kind}}"', '"{{king}}"', "the legend names king")

    def test_an_expression_that_is_none(self):
        self.breaks("monitoring/rules/event.yml", "hour() < 3", "hour() <", "promtool check rules")

    def test_a_query_that_is_none(self):
        self.breaks(
            "monitoring/grafana/dashboards/xmas.json", "max(xmas_review_pending)", "max xmas_review_pending)", "Review queue"
        )

    def test_a_variable_that_nobody_knows(self):
        self.breaks(
            "monitoring/grafana/dashboards/xmas.json", "[$__rate_interval]", "[$__rate_interva]", "an unknown variable in"
        )

    def test_a_dashboard_that_was_edited_by_hand(self):
        self.breaks(
            "monitoring/grafana/dashboards/xmas.json", '"title": "Memory"', '"title": "RAM"', "is not what dashboard.py prints"
        )

    def test_an_alert_without_a_section(self):
        for page in ("alerts.md", "alerts.ko.md"):
            with self.subTest(page):
                self.setUp()
                self.breaks(f"docs/runbook/{page}", "### XmasSlow\n", "### Slow\n", f"{page} has no section XmasSlow")

    def test_a_section_without_an_alert(self):
        self.breaks("docs/runbook/alerts.md", "## Requests\n", "### XmasGone\n\nText.\n\n## Requests\n", "xmasgone is no alert")

    def test_a_section_that_says_another_severity(self):
        self.breaks(
            "docs/runbook/alerts.ko.md",
            "### XmasSlow\n\n**Page.**",
            "### XmasSlow\n\n**Ticket.**",
            "must begin with its severity, page",
        )

    def test_a_panel_that_is_not_there(self):
        self.breaks("docs/runbook/alerts.md", "*Share that fails*", "*Share of failures*", "no panel 'Share of failures'")

    def test_a_link_that_leads_nowhere(self):
        self.breaks("docs/runbook/alerts.md", "(#xmasslowstatements)", "(#xmasslowstatement)", "leads to no heading")
        self.breaks("docs/runbook/alerts.md", "(settlement.md)", "(settling.md)", "settling.md leads nowhere")

    def test_another_link_to_the_runbook(self):
        self.breaks("monitoring/rules/service.yml", "alerts.md#xmasslow", "alerts.md#slow", "XmasSlow: runbook_url must be")

    def test_a_severity_that_nobody_is_told_of(self):
        self.breaks("monitoring/rules/service.yml", "severity: page", "severity: critical", "the severity must be one of")

    def test_an_alert_without_a_test_that_fires(self):
        file = self.root / "monitoring/rules/tests/stores.yml"
        text = file.read_text(encoding="utf-8")
        pattern = r"(alertname: XmasRedisAway\n +exp_alerts:)\n(?: {10,}.*\n)+"
        self.assertRegex(text, pattern)
        file.write_text(re.sub(pattern, r"\1 []\n", text), encoding="utf-8")
        self.assertIn("XmasRedisAway: no test shows it fire", self.found())

    def test_an_alert_without_a_test_that_is_quiet(self):
        file = self.root / "monitoring/rules/tests/stores.yml"
        text = file.read_text(encoding="utf-8")
        pattern = r" +- eval_time: \w+\n +alertname: XmasRedisAway\n +exp_alerts: \[\]\n"
        self.assertRegex(text, pattern)
        file.write_text(re.sub(pattern, "", text), encoding="utf-8")
        self.assertIn("XmasRedisAway: no test shows it not fire", self.found())

    def test_an_alert_that_is_quiet_only_without_its_metrics(self):
        # The only quiet test of it is about something else now.
        file = self.root / "monitoring/rules/tests/platform.yml"
        text = file.read_text(encoding="utf-8")
        start = text.index("  - name: 'XmasSiteUnreachable")
        end = text.index("  - name:", start + 1)
        whole = text[start:end]
        quiet = whole.replace("probe_success{", "probe_duration_seconds{")
        fires = re.sub(r" +- eval_time: \w+\n +alertname: \w+\n +exp_alerts: \[\]\n", "", whole)
        file.write_text(text[:start] + quiet + fires + text[end:], encoding="utf-8")
        self.assertIn("XmasSiteUnreachable: no test shows it not fire with its own metrics there", self.found())

    def test_a_test_of_no_alert(self):
        self.breaks(
            "monitoring/rules/tests/stores.yml",
            "alertname: XmasRedisAway",
            "alertname: XmasRedisGone",
            "XmasRedisGone is no alert",
        )

    def test_an_inhibition_of_no_alert(self):
        self.breaks("monitoring/alertmanager.yml", 'alertname="XmasDiskFull"', 'alertname="XmasDiskOut"', "alertname=XmasDiskOut")

    def test_a_page_that_would_be_a_ticket(self):
        self.breaks(
            "monitoring/alertmanager.yml", 'severity="page"', 'severity="pager"', "severity=page does not reach the receiver page"
        )

    def test_a_webhook_with_its_url_in_the_open(self):
        self.breaks(
            "monitoring/alertmanager.yml",
            "url_file: /run/secrets/alert_page_url",
            "url: https://hooks.example/secret",
            "belongs into a url_file",
        )

    def test_a_field_that_alertmanager_does_not_know(self):
        self.breaks("monitoring/alertmanager.yml", "group_wait: 30s", "group_wailt: 30s", "amtool")

    def test_a_field_that_prometheus_does_not_know(self):
        self.breaks("monitoring/prometheus.yml", "scrape_timeout", "scrape_timout", "promtool check config")

    def test_a_module_that_is_not_there(self):
        self.breaks("monitoring/targets/site.yml", "module: health_self_signed", "module: helth", "names the module helth")


class Reading(unittest.TestCase):
    """The two formats of metrics, and what is hard to read in PromQL."""

    def test_both_formats_of_metrics(self):
        old = '# TYPE a_total counter\na_total{b="x, \\"y\\"} z"} 1 1700000000\n# TYPE h histogram\n'
        new = '# TYPE a counter\na_total{b="x, \\"y\\"} z"} 1 # {trace="t"} 1\n# TYPE h histogram\n# EOF\n'
        for text in (old, new):
            metrics = exposition.read(text)
            self.assertEqual(dict(metrics["a_total"]), {"b": {'x, "y"} z'}})
            self.assertIsNone(metrics["h_bucket"])
            self.assertEqual(set(metrics), {"a_total", "h_bucket", "h_sum", "h_count"})

    def test_selectors_and_labels(self):
        read = promql.read(
            'sum by (a) (rate(m_total{x="1", y!~"b|c{2}"}[5m] offset 1h)) / on (d) group_left (e) '
            "max_over_time(count(n)[1h:1m]) > bool 1e3 or absent(o) and sum(p) without (f) == Inf"
        )
        self.assertEqual([selector.metric for selector in read.selectors], ["m_total", "n", "o", "p"])
        self.assertEqual(read.grouping, {"a", "d", "e", "f"})
        x, y = read.selectors[0].matchers
        self.assertEqual((x.values(), y.values()), (["1"], None))
        self.assertEqual(promql.Matcher("r", "=~", "/api/(a|b)/c").values(), ["/api/a/c", "/api/b/c"])

    def test_what_is_not_understood_is_an_error(self):
        for text in ("{a='b'}", "m{a=b}", "sum by (a"):
            with self.assertRaises(promql.Unreadable):
                promql.read(text)


if __name__ == "__main__":
    unittest.main()
