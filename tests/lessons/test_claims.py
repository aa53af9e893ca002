"""What each lesson claims, held to the data inside its committed page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gmmcompare.model.card import load_card

Embedded = Callable[[str], Any]


def em_path(embedded: Embedded, name: str) -> dict[str, np.ndarray]:
    path = next(p for p in embedded("em")["paths"] if p["name"] == name)
    return {key: np.array(path[key]) for key in ("w", "mu", "sigma", "log_lik")}


def test_em_from_equal_means_does_not_move(embedded: Embedded) -> None:
    path = em_path(embedded, "equal")
    assert len(path["log_lik"]) > 20
    for name in ("w", "mu", "sigma", "log_lik"):
        assert np.ptp(path[name][1:], axis=0).max() <= 1e-6 * np.abs(path[name][1:]).max(), name
    assert np.ptp(path["mu"], axis=1).max() == 0.0


def test_em_from_nearly_equal_means_leaves_and_climbs_far(embedded: Embedded) -> None:
    stuck, nudged = em_path(embedded, "equal"), em_path(embedded, "nudged")
    assert nudged["log_lik"][2] - stuck["log_lik"][2] < 0.1
    assert nudged["log_lik"][-1] - stuck["log_lik"][-1] > 20.0


@pytest.mark.parametrize("name", ["ends", "quantiles", "nudged", "equal", "point"])
def test_the_log_likelihood_never_falls(embedded: Embedded, name: str) -> None:
    # Embedded numbers have seven digits.
    assert np.diff(em_path(embedded, name)["log_lik"]).min() > -1e-4


def test_em_ends_on_different_summits_and_on_one_point_without_end(embedded: Embedded) -> None:
    ends, quantiles = em_path(embedded, "ends"), em_path(embedded, "quantiles")
    assert ends["log_lik"][-1] - quantiles["log_lik"][-1] > 5.0
    point = em_path(embedded, "point")
    assert point["sigma"][-1].min() < 1e-100
    assert point["log_lik"][-1] > ends["log_lik"][-1] + 100.0


def test_gibbs_leaves_where_em_stands_still(embedded: Embedded) -> None:
    data = embedded("gibbs")
    em, gibbs = np.array(data["em_log_lik"]), np.array(data["log_lik"])
    assert abs(em[0] - gibbs[0]) < 1e-3  # the same start
    assert np.ptp(em[1:]) == 0.0
    assert gibbs[data["burn_in"] :].min() > em[-1] + 10.0
    assert gibbs[data["burn_in"] :].std() > 0.5  # and it never settles


def test_gibbs_draws_are_worth_less_where_they_resemble_each_other(embedded: Embedded) -> None:
    long = embedded("gibbs")["long"]
    assert long["slow"]["ess"] < 0.1 * long["fast"]["ess"]
    assert long["slow"]["acf"][10] > 0.3 > abs(long["fast"]["acf"][10])


def test_both_routes_reach_the_exact_posterior(embedded: Embedded) -> None:
    # Five standard errors of each sampler's mean: false alarm below 1e-6 each.
    marginal = embedded("nuts")["marginal"]
    for name in ("nuts", "gibbs"):
        error = marginal["sd"] / marginal["ess"][name] ** 0.5
        assert abs(marginal["mean"][name] - marginal["mean"]["exact"]) < 5.0 * error


def test_the_mountain_is_one_ridge_across_the_line(embedded: Embedded) -> None:
    for lines in embedded("nuts")["contours"]:
        (line,) = np.array(lines)
        assert np.ptp(np.sign(line[:, 0] - line[:, 1])) == 2.0


def test_both_routes_give_each_side_its_share(embedded: Embedded) -> None:
    # The side decides most of the mean, so the indicator mixes much like it; its effective draws
    # are taken as half as many. Five standard errors: false alarm below 1e-6 each.
    marginal = embedded("nuts")["marginal"]
    exact = marginal["swapped"]["exact"]
    for name in ("nuts", "gibbs"):
        error = (exact * (1.0 - exact) / (0.5 * marginal["ess"][name])) ** 0.5
        assert abs(marginal["swapped"][name] - exact) < 5.0 * error


def test_the_engines_of_the_race_agree(embedded: Embedded) -> None:
    for race in embedded("nuts")["race"]:
        assert race["gibbs"]["per_second"] > 0 < race["nuts"]["per_second"]
        # The log-likelihood's sd is about 2; the least effective quantity bounds its error.
        error = 2.0 * (race["gibbs"]["ess"] ** -1 + race["nuts"]["ess"] ** -1) ** 0.5
        assert abs(race["gibbs"]["log_lik"] - race["nuts"]["log_lik"]) < 5.0 * error


def test_sorting_by_mean_misnames_and_alignment_does_not(embedded: Embedded) -> None:
    wrong = embedded("labels")["crossing"]["mislabelled"]
    assert wrong["sorted"] > 0.03
    assert wrong["aligned"] < 1e-3


def test_ordered_nuts_is_trapped_in_silence(embedded: Embedded) -> None:
    trap = embedded("labels")["trap"]
    pair = trap["pair"]
    assert 10.0 < trap["gibbs"] - pair["log_lik"] < 40.0
    assert pair["rhat"] < 1.02
    for chain in pair["chains"]:
        assert trap["chains"][chain]["divergences"] == 0
        means = trap["chains"][chain]["mu"]
        assert abs(means[1] - means[2]) < 0.005  # against the wall
    assert (
        max(trap["em"]["mu"][2] - trap["em"]["mu"][1], 0) > 0.02
    )  # which is not where they belong


def test_without_the_order_no_chain_is_lost_in_silence(embedded: Embedded) -> None:
    trap = embedded("labels")["trap"]
    assert len(trap["free"]) == len(trap["chains"])
    assert len(trap["silent"]) >= 2
    assert not [c for c in trap["free"] if c["far"] and not c["divergences"]]


def test_faults_are_invisible_on_large_data_and_caught_on_small(embedded: Embedded) -> None:
    data = embedded("broken")
    faults = {f["name"]: f for f in data["faults"]}
    assert data["n"] > 6000
    assert data["small_n"] == 12
    right = faults.pop("correct")
    assert right["small"]["caught_at"] is None
    hidden = [f for f in faults.values() if not f["large"]["seen"]]
    assert len(hidden) >= 5
    assert all(f["small"]["caught_at"] is not None for f in hidden)
    assert all(max(f["small"]["log10_wealth"]) > data["threshold"] for f in hidden)
    assert any(f["large"]["seen"] for f in faults.values())  # some are gross enough


def test_the_prior_that_says_nothing(embedded: Embedded) -> None:
    rows = embedded("priors")["rows"]
    first, last = rows[0], rows[-1]
    assert first["epsilon"] == pytest.approx(1e-4)
    assert first["prior_above"] > 0.99
    assert first["prob_empty"] > 0.9
    assert min(r["prob_empty"] for r in rows) < 0.5
    assert last["prior_above"] < 1e-6


def test_a_prior_that_fits_has_no_empty_groups_and_nearer_means_help(embedded: Embedded) -> None:
    data = embedded("priors")
    least = min(r["prob_empty"] for r in data["rows"])
    assert data["fitting"]["prob_empty"] < 0.05 * least
    assert data["nearer"]["best"] < least
    assert data["nearer"]["fitting"] < data["fitting"]["prob_empty"]
    assert data["fitting"]["low"] < 0.3 < data["fitting"]["high"]  # the sd that made the data


def test_the_card_of_the_galaxies_is_quoted_as_it_is(embedded: Embedded) -> None:
    quoted, priors = embedded("priors")["card"], load_card("galaxies-k4").build_priors()
    assert np.all(quoted["shape"] == np.asarray(priors.var_shape))
    assert np.all(quoted["scale"] == np.asarray(priors.var_scale))


def test_ml_has_a_spike_and_map_a_summit(embedded: Embedded) -> None:
    data = embedded("priors")
    likelihood, posterior = np.array(data["ml_spike"]), np.array(data["rows"][0]["ridge"])
    assert data["tie_count"] == 2
    assert likelihood[0] == likelihood.max()  # still growing at the narrowest
    assert 0 < posterior.argmax() < posterior.size - 1
    assert data["rows"][0]["two_summits"]
    assert not data["rows"][-1]["two_summits"]


def test_groups_narrow_and_the_measured_density_stays(embedded: Embedded) -> None:
    data = embedded("shrinkage")
    first, right, last = (data["rows"][i] for i in (0, data["at_truth"], -1))
    assert right["size"] == data["true_size"]
    truth = data["true_groups"]["sigma"]
    # At the right size the narrower sd is nearest to that which the data were drawn from.
    off = [abs(row["sigma"][1] - truth[1]) for row in (first, right, last)]
    assert off[1] == min(off)
    assert last["sigma"][1] < 0.02  # "the errors alone account for all the spread"
    measured = np.array(right["measured"]) - np.array(first["measured"])
    true = np.sum(right["parts"], axis=0) - np.sum(first["parts"], axis=0)
    assert np.abs(measured).sum() < 0.4 * np.abs(true).sum()


def test_planets_move_towards_their_group_by_as_much_as_their_error(embedded: Embedded) -> None:
    data = embedded("shrinkage")
    row = data["rows"][data["at_truth"]]
    y, x, s = (np.array(data[name]) for name in ("y", "true", "quality"))
    s = s * row["size"]
    r, mean = np.array(row["r"]), np.array(row["mean"])
    mu, sigma = np.array(row["mu"]), np.array(row["sigma"])
    sure = r.max(axis=1) > 0.9999
    k = r.argmax(axis=1)
    B = sigma[k] ** 2 / (sigma[k] ** 2 + s**2)
    np.testing.assert_allclose(mean[sure], (mu[k] + B * (y - mu[k]))[sure], atol=1e-3)
    assert sure.sum() > 10
    off = [row["off"] for row in data["rows"]]
    assert np.sqrt(np.mean((mean - x) ** 2)) == pytest.approx(off[data["at_truth"]], rel=1e-5)
    assert off[0] == pytest.approx(data["measured_off"], rel=1e-5)
    assert off[data["at_truth"]] < data["measured_off"] < off[-1]


def test_eight_priors_have_eight_answers(embedded: Embedded) -> None:
    data = embedded("number")
    rows = {row["label"]: row for row in data["rows"]}
    assert len(rows) == 8
    assert data["true_K"] == 3
    for key in ("prior", "prob", "prior_occupied", "prob_occupied"):
        values = np.array([row[key] for row in data["rows"]])
        np.testing.assert_allclose(values.sum(axis=1), 1.0, atol=1e-6)
    answers = np.array([row["prob_occupied"] for row in data["rows"]])
    # No two are the same: the nearest, c = 0.1 and 1/K, differ by 0.02 in total variation.
    apart = 0.5 * np.abs(answers[:, None] - answers).sum(axis=-1)
    assert apart[~np.eye(8, dtype=bool)].min() > 0.02
    assert {row["best"] for row in data["rows"]} == {2, 3, 4, 5}
    sparse, reference = rows["c = 0.1"], rows["K uniform"]
    assert (sparse["best_K"], sparse["best"]) == (data["max_K"], 3)
    assert rows["Poisson"]["best"] == 3
    assert rows["wide means"]["prob_occupied"][0] > 20 * reference["prob_occupied"][0]
    assert rows["wide means"]["best"] < reference["best"] < rows["small sds"]["best"]


def test_what_is_predicted_hardly_changes_but_for_spikes(embedded: Embedded) -> None:
    densities = {row["label"]: np.array(row["predictive"]) for row in embedded("number")["rows"]}

    def hills(density: np.ndarray) -> int:
        return int(np.sum(np.diff(np.sign(np.diff(density))) < 0))

    assert hills(densities.pop("small sds")) > 2
    assert {hills(density) for density in densities.values()} == {2}


def test_a_process_does_not_count(embedded: Embedded) -> None:
    growth = embedded("number")["growth"]
    process, mixture = np.array(growth["process"]), np.array(growth["mixture"])
    assert growth["sizes"][growth["exact_to"] - 1] == growth["exact_to"]
    assert process[-1] < process[growth["exact_to"] - 1] < 0.5 * process[2]
    assert mixture[1:].min() > 0.6
    assert mixture[-1] > 0.8


def test_a_correlation_is_seen_by_the_likelihood_alone(embedded: Embedded) -> None:
    data = embedded("ellipses")
    heights, rho = np.array(data["heights"]), np.array(data["correlations"])
    assert heights.argmax() == data["opens"]
    assert rho[data["zero"]] == pytest.approx(0.0, abs=1e-9)
    assert heights[data["opens"]] - heights[data["zero"]] > 10


def test_groups_are_misnamed_by_the_coordinate_in_which_they_are_close(embedded: Embedded) -> None:
    data = embedded("ellipses")
    ways = data["ways"]
    # Which of the groups is more often the right one does not matter.
    assert min(ways["across"]["misnamed"], 1 - ways["across"]["misnamed"]) > 0.05
    assert ways["up"]["misnamed"] == ways["aligned"]["misnamed"] == 0
    # "The average of group 1 is in neither" cloud.
    mean = np.array(ways["across"]["mean"][0])
    draws = np.array(ways["aligned"]["mu"]).reshape(-1, 2)
    assert np.linalg.norm(draws - mean, axis=1).min() > 0.05
