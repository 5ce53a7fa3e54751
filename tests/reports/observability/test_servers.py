"""Prometheus and Grafana of `compose.yaml` find their files; Prometheus itself takes the rules."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.observability.__main__ import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = {
    name: service
    for name, service in COMPOSE["services"].items()
    if service.get("profiles") == ["observability"]
}
FILES = ROOT / "backends" / "observability"


def mounts(service: str) -> dict[str, Path]:
    """The files of the project that a service sees, by where it sees them."""
    found = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return {there: ROOT / here for here, there, *_ in found if here.startswith("./")}


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_they_start_only_when_asked_for_and_in_a_version_that_is_known() -> None:
    assert SERVICES.keys() == {"prometheus", "grafana", "textfiles"}
    assert all(re.search(r":v?\d+\.\d+\.\d+$", service["image"]) for service in SERVICES.values())


def test_prometheus_finds_its_rules_and_every_program() -> None:
    seen = mounts("prometheus")
    config = loaded(seen["/etc/prometheus/prometheus.yaml"])

    assert "--config.file=/etc/prometheus/prometheus.yaml" in SERVICES["prometheus"]["command"]
    assert [seen[f"/etc/prometheus/{name}"] for name in config["rule_files"]] == [
        FILES / "alerts.yaml"
    ]
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    assert jobs == {"gateway", "ubscore", "engine", "settlement", "textfiles"}
    targets = [t for job in config["scrape_configs"] for t in job["static_configs"][0]["targets"]]
    assert len(set(targets)) == len(jobs)
    (textfiles,) = (t for t in targets if t.endswith(":9100"))
    assert f"--web.listen-address={textfiles}" in SERVICES["textfiles"]["command"]


def test_grafana_finds_its_source_and_its_dashboard() -> None:
    seen = mounts("grafana")
    (source,) = loaded(seen["/etc/grafana/provisioning/datasources/wavetank.yaml"])["datasources"]
    (provider,) = loaded(seen["/etc/grafana/provisioning/dashboards/wavetank.yaml"])["providers"]

    folder = seen[provider["options"]["path"]]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    board = json.loads((folder / Path(home).name).read_text(encoding="utf-8"))
    assert Path(home).parent == Path(provider["options"]["path"])
    used = {panel["datasource"]["uid"] for panel in board["panels"] if "targets" in panel}
    assert used == {source["uid"]}
    listens = [a for a in SERVICES["prometheus"]["command"] if a.startswith("--web.listen")]
    assert listens == [f"--web.listen-address={source['url'].removeprefix('http://')}"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_rules_and_they_fire_on_what_they_are_for() -> None:
    for command in (
        ["check", "config", str(FILES / "prometheus.yaml")],
        ["test", "rules", str(Path(__file__).with_name("alerts_test.yaml"))],
    ):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
