"""`python -m reports.observability`: writes what is made from the programs' metrics anew."""

from pathlib import Path

from reports.observability import alerts, dashboard, table

ROOT = Path(__file__).resolve().parents[2]


def files() -> dict[str, str]:
    """Return what is made, by its path in the project."""
    return {
        "system/METRICS.md": table.text(),
        "backends/observability/alerts.yaml": alerts.text(),
        "backends/observability/grafana/dashboards/wavetank.json": dashboard.text(),
    }


if __name__ == "__main__":
    for name, text in files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(name)
