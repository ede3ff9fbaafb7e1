"""Which hyperparameters a search's success hung on."""

from collections.abc import Mapping, Sequence

FEWEST = 10  # trials that say anything (ours)
TOP = 5  # trials at least that count as good, as Optuna advises


def importance(rows: Sequence[Mapping], space: Mapping[str, Mapping]) -> dict[str, float]:
    """The share of each hyperparameter in reaching the best tenth of a search's trials; they add up to 1.

    By PED-ANOVA (Watanabe et al. 2023): how far the values of the best trials differ from those of all,
    which fits searches that tried some regions far more often than others. `rows` are those of trials.csv
    and `space` is that of selection.json. Trials outside the space, such as a default may be, are left out.
    The most important comes first. Empty when fewer than ten trials remain or all are equally good.
    """
    known = [row for row in rows if all(s["low"] <= row[name] <= s["high"] for name, s in space.items())]
    if len(known) < FEWEST or len({row["validation_error"] for row in known}) == 1:
        return {}
    import optuna  # with scikit-learn, a third of what a report without searches would import
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    distributions = {name: optuna.distributions.FloatDistribution(**bounds) for name, bounds in space.items()}
    for row in known:
        study.add_trial(
            optuna.create_trial(
                params={name: float(row[name]) for name in space},
                distributions=distributions,
                value=row["validation_error"],
            )
        )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(0.1, TOP / len(known)))
    shares = get_param_importances(study, evaluator=evaluator)
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))
