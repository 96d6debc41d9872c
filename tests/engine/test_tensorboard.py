import pytest
import tiny_run
import torch
from ignite.engine import Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.engine.tensorboard import TensorBoard


def read(folder):
    return EventAccumulator(str(folder)).Reload()


def run(folder, **kwargs):
    tiny_run.build(folder, **kwargs).run()
    return read(folder / "logs")


def test_scalars_are_written(tmp_path):
    events = run(tmp_path)
    assert {"train/loss", "train/learning_rate", "train/images_per_second"} <= set(events.Tags()["scalars"])
    assert [e.step for e in events.Scalars("train/loss")] == [10]
    assert events.Scalars("train/images_per_second")[0].value > 0


def test_settings_are_written_in_the_same_folder(tmp_path):
    events = run(tmp_path)
    assert [p.name for p in (tmp_path / "logs").iterdir() if p.is_dir()] == []
    started = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"batch_size" in started


def test_metrics_and_pictures_follow_each_epoch(tmp_path):
    drawn = []

    def draw(writer, iteration):
        drawn.append(iteration)
        writer.add_image("picture", torch.zeros(1, 4, 4), iteration)

    board = TensorBoard(tmp_path / "more", 8, settings={}, draw=[draw])
    trainer = tiny_run.build(tmp_path, more=[board])
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda e: e.state.metrics.update(auc=e.state.epoch / 10))
    trainer.run()
    events = read(tmp_path / "more")
    assert drawn == [5, 10, 15]
    assert [(e.step, e.value) for e in events.Scalars("auc")] == [
        (5, pytest.approx(0.1)),
        (10, pytest.approx(0.2)),
        (15, pytest.approx(0.3)),
    ]
    assert [e.step for e in events.Images("picture")] == [5, 10, 15]


def test_resumed_run_has_each_point_once(tmp_path):
    trainer = tiny_run.build(tmp_path)

    def stop():
        raise InterruptedError

    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=14), stop)
    with pytest.raises(InterruptedError):
        trainer.run()
    events = run(tmp_path)
    assert [e.step for e in events.Scalars("train/loss")] == [10]
