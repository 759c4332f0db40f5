"""One metric a file: its specification and its NumPy function over `PerImage`.

======================== ============================================================================
key                      what it is, in percent
======================== ============================================================================
top1_acc, top5_acc       the true class is the first, is among the first five
top1_within              of queries: the first class is one of those that the image shows; over images
recall_at_k              of queries: of the k classes that an image shows, the share among the first k
max_box_acc@d            single contour, IoU >= d at the threshold best for it
max_box_acc_v2@d         all contours, likewise (Choe et al., 2020); max_box_acc_v2: their mean
gt_known_loc@0.5         single contour, IoU >= 0.5 at the policy's threshold
top1_loc@0.5, top5_loc   and the true class is the first, among the first five, same threshold
box_acc_v2               all contours, the mean over d at one threshold; policies val and fixed only
mean_iou                 IoU of the single-contour box; without any true box, of the mask, over images
                         with foreground; at its own best threshold where the policy is oracle
pxap, peak_iou           pixels of the split in one pool: average precision; best IoU
rubinstein_p, _j         pixels labelled right; IoU where the object is; means over classes
rubinstein_p:k, _j:k     those of class k, at the threshold of the mean
======================== ============================================================================

Where some images show no object of any class, by scores that are not normalised:

======================== ============================================================================
map_auroc, softmax_auroc images with an object against those without, by the map's maximum, by the
                         largest softmax
map_fpr95, softmax_fpr95 images without an object that reach the score that 95 % of the others reach,
                         of val under the policy val; not under fixed
mask_area_absent         share of the image that is predicted mask at one scale for all maps, val's under
                         the policy val, in images without an object; mask_area_present: with one
======================== ============================================================================

Where the data set numbers the things its boxes frame, and an image shows several:

======================== ============================================================================
instance_f1@0.5          outer contours matched one to one with the objects: recall and precision over
                         all objects of the split, at the threshold best for F1
instance_recall@0.5      at that threshold
instance_precision@0.5   likewise
all_instances@0.5        every object of the image is found, likewise; any of them is max_box_acc's
instance_ap@0.5          all contours by their largest value; at the best of 15 cuts
single_cap               the recall of one perfect box an image
======================== ============================================================================

Where parts files name regions, object, deciding, rest, distractor, context, and ground is code 0:

======================== ============================================================================
auc_a_over_b             a pixel of region a scores higher than one of b: object/ground,
                         object/distractor, distractor/ground, rest/ground, deciding/rest, context/ground
lift_a                   a's share of the predicted masks over its share of the area, no percentage but a
                         ratio; threshold of gt_known_loc@0.5
======================== ============================================================================

Where a network is asked what it makes of parts of the image (`wsol.maps.faithfulness`):

======================== ============================================================================
deletion, insertion      area under its probability of the true class while the pixels that the map ranks
                         highest become the mean colour first (low is good), or come out of a blurred
                         image first (high is good): RISE's two baselines
deletion_blur            deletion that blurs, instead of painting the mean colour
insertion_mean           insertion into the mean colour, instead of a blurred image
======================== ============================================================================

Keys with ``max_`` or ``peak_`` are oracle whatever the policy. What cannot be computed is None; what
needs a reading (`wsol.evaluation.readings`) is left out where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from wsol.errors import UserError
from wsol.registry import Registry
from wsol.scores.metrics.metric import Metric
from wsol.scores.metrics.specification import MetricSpecification
from wsol.scores.protocol import Protocol

# Of the statistics: values, intervals and optimism from the same arrays. Raise it where they change;
# `wsol results rescore` then brings records up to date. 2: intervals that hold at the edges, of few
# images and with two good ranges of thresholds; mean_iou at its own threshold.
METRICS_VERSION = 2

METRICS: Registry[type[Metric]] = Registry("metric", subclass_of="wsol.scores.metrics.metric:Metric")
for _name, _place in (
    ("classification", "classification:AccuracyMetric"),
    ("top1_within", "top1_within:Top1WithinMetric"),
    ("recall_at_k", "recall_at_k:RecallAtKMetric"),
    ("max_box_acc", "max_box_acc:MaxBoxAccMetric"),
    ("max_box_acc_v2", "max_box_acc_v2:MaxBoxAccV2Metric"),
    ("gt_known_loc", "gt_known_loc:GTKnownLocMetric"),
    ("top_k_loc", "top_k_loc:TopKLocMetric"),
    ("box_acc_v2", "box_acc_v2:BoxAccV2Metric"),
    ("mean_iou", "mean_iou:MeanIoUMetric"),
    ("pxap", "pxap:PxAPMetric"),
    ("peak_iou", "peak_iou:PeakIoUMetric"),
    ("rubinstein", "rubinstein:RubinsteinPMetric"),
    ("instances", "instance_figures:InstanceMetric"),
    ("instance_ap", "instance_ap:InstanceAPMetric"),
    ("all_instances", "all_instances:AllInstancesMetric"),
    ("single_cap", "single_cap:SingleCapMetric"),
    ("absence_auroc", "absence_auroc:AbsenceAurocMetric"),
    ("absence_fpr", "absence_fpr:AbsenceFprMetric"),
    ("absence_area", "absence_area:AbsenceAreaMetric"),
    ("region_auc", "region_auc:RegionAucMetric"),
    ("region_lift", "region_lift:RegionLiftMetric"),
    ("faithfulness", "faithfulness:FaithfulnessMetric"),
):
    METRICS.register(_name, f"wsol.scores.metrics.{_place}")


def metrics_of(protocol: Protocol) -> dict[str, Metric]:
    """Every metric by its key, in the order of their columns: the suite's and `Protocol.metrics`.

    ``UserError`` where a name is unknown or two metrics have one key.
    """
    return _by_key([*METRICS, *protocol.metrics], protocol)


def own_metrics(protocol: Protocol) -> dict[str, Metric]:
    """The suite's own metrics under a protocol, without what it names besides: imports no other code."""
    return _by_key(METRICS.names(), protocol)


def specifications_of(
    keys: Iterable[str], protocol: Mapping[str, Any]
) -> dict[str, MetricSpecification]:
    """What tables need to know of the metrics ``keys`` of a record that does not say it.

    ``protocol`` is the record's. Keys of single classes go by their metric; a key that the suite does
    not know is its own name.
    """
    own = _own_specifications(Protocol.of_record(protocol))
    return {
        key: own[key] if key in own else MetricSpecification(key=key, name=key)
        for key in dict.fromkeys(key.partition(":")[0] for key in keys)
    }


@lru_cache(maxsize=64)
def _own_specifications(protocol: Protocol) -> Mapping[str, MetricSpecification]:
    """Thousands of records have a handful of protocols."""
    return {key: metric.specification for key, metric in own_metrics(protocol).items()}


def in_columns(specifications: Iterable[MetricSpecification]) -> list[MetricSpecification]:
    """In the order of the CSV's columns."""
    return sorted(specifications, key=lambda each: (each.column, each.key))


def _by_key(names: Sequence[str], protocol: Protocol) -> dict[str, Metric]:
    found: dict[str, Metric] = {}
    for name in dict.fromkeys(names):
        for metric in METRICS.get(name).of_protocol(protocol):
            if metric.key in found:
                raise UserError(f"metric {name!r}: there is another metric with the key {metric.key}")
            found[metric.key] = metric
    order = in_columns(metric.specification for metric in found.values())
    return {each.key: found[each.key] for each in order}
