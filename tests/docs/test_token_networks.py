"""The table of the small ViT's maps: what stands together, and what is called not trained."""

from types import SimpleNamespace

from wsol.board.rows.seeds import Estimate


class MadeUpRow(dict):
    """A row of the board with its seeds' accuracies."""

    def __init__(self, maps, top1=(), backbone="small_vit", method="cam", head="cam"):
        super().__init__(maps=maps, backbone=backbone)
        mean = sum(top1) / len(top1) if top1 else None
        self.estimates = {"max_box_acc@0.5": Estimate(7.0, std=1.0)}
        if top1:
            self.estimates["top1_acc"] = Estimate(mean, std=1.0)
        what = {"method": {"name": method}, "head": {"name": head}}
        self.records = [SimpleNamespace(recipe={"what": what})]
        self.top1 = top1

    def values(self, metric):
        return list(self.top1)


def test_maps_of_token_networks_stand_by_network_and_untrained_ones_in_parentheses(generate):
    page = generate("token_networks")
    rows = [
        MadeUpRow("ts_cam", (95.0, 97.0), method="ts_cam"),
        MadeUpRow("cut", (91.0, 89.5), head="class_token"),
        MadeUpRow("center", backbone=""),
        MadeUpRow("cam", (94.0, 43.0)),
        MadeUpRow("rollout", (91.0, 89.5), head="class_token"),
    ]
    section = SimpleNamespace(place=(page.ALONE,), rows=rows)
    _, shown, _ = page.token_networks([section])
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()[2:]]
    assert [line[:2] for line in lines] == [
        ["TS-CAM", "ts_cam"],
        ["class token", "cut"],
        ["class token", "rollout"],
        ["*none*", "*center*"],
        ["CAM", "cam"],
    ]
    # 90.25 is trained, 68.5 is not; a box in the centre needs no training.
    assert [line[5] for line in lines] == ["7.0 ± 1.0"] * 4 + ["(7.0 ± 1.0)"]
    assert lines[4][2:4] == ["68.5 ± 1.0", "94.0, 43.0"]
    assert page.token_networks([]) == []
