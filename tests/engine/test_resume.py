import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny_run
import torch
from ignite.engine import Events

from medaug.engine.resume import Resume
from medaug.errors import CheckpointError, TrainingError


class Stopped(Exception):
    pass


def stop(*_):
    raise Stopped


def run_and_stop(folder, iteration):
    trainer = tiny_run.build(folder)
    trainer.add_event_handler(Events.ITERATION_COMPLETED(once=iteration), stop)
    with pytest.raises(Stopped):
        trainer.run()


def product(folder):
    content = torch.load(folder / "product.pt", weights_only=True)
    return {f"{part}.{name}": value for part, state in content.items() for name, value in state.items()}


def assert_bit_equal(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name].view(torch.int32), other[name].view(torch.int32)), name


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    tiny_run.build(folder).run()
    return product(folder)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, tiny_run.__file__, folder], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("moment", tiny_run.MOMENTS)
def test_run_killed_at_any_moment_ends_bit_equal(moment, killed, uninterrupted):
    folder = killed / moment
    assert (folder / "product.pt").exists() == (moment == "after product")
    tiny_run.build(folder).run()
    assert_bit_equal(product(folder), uninterrupted)
    assert not (folder / "resume.pt").exists()


def test_resumed_run_repeats_only_the_unfinished_epoch(tmp_path):
    run_and_stop(tmp_path, 2 * tiny_run.EPOCH_LENGTH + 2)
    trainer = tiny_run.build(tmp_path)
    iterations = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda e: iterations.append(e.state.iteration))
    trainer.run()
    assert iterations == list(range(11, 16))


def test_a_run_goes_on_with_its_own_layout_and_kernels(tmp_path):
    """A file may be of a CPU: on a GPU one kernel updates weights and moments, which must lie alike."""

    def begun(layout, fused):
        torch.manual_seed(0)
        network = torch.nn.Conv2d(3, 4, 3).to(memory_format=layout)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, fused=fused)
        return network, optimizer, Resume(tmp_path / "resume.pt", network, optimizer, settings={})

    def step(network, optimizer):
        optimizer.zero_grad()
        network(torch.ones(1, 3, 4, 4)).square().sum().backward()
        optimizer.step()
        return network.weight.detach().clone(memory_format=torch.contiguous_format)

    sampler = SimpleNamespace(start=0)
    state = SimpleNamespace(epoch=1, iteration=1)
    engine = SimpleNamespace(state=state, data_loader=SimpleNamespace(sampler=sampler))
    network, optimizer, resume = begun(torch.contiguous_format, None)
    step(network, optimizer)
    resume.save(engine)
    expected = step(network, optimizer)

    engine.has_event_handler = lambda *_: True
    network, optimizer, resume = begun(torch.channels_last, True)
    resume.load(engine)
    moments = optimizer.state[network.weight]
    assert moments["exp_avg"].stride() == moments["exp_avg_sq"].stride() == network.weight.stride()
    assert optimizer.param_groups[0]["fused"] is True
    torch.testing.assert_close(step(network, optimizer), expected)


def test_finished_run_does_nothing_and_removes_what_is_left_over(tmp_path):
    tiny_run.build(tmp_path).run()
    before = (tmp_path / "product.pt").read_bytes()
    (tmp_path / "resume.pt").write_bytes(b"left over")
    trainer = tiny_run.build(tmp_path)
    trainer.run()
    assert trainer.state.iteration == 0
    assert (tmp_path / "product.pt").read_bytes() == before
    assert not (tmp_path / "resume.pt").exists()


def test_other_settings_are_named(tmp_path):
    run_and_stop(tmp_path, 6)
    with pytest.raises(
        CheckpointError, match=r"resume.pt was saved with other settings: data was None and is 'b'"
    ):
        tiny_run.build(tmp_path, data="b").run()


def test_a_run_goes_on_that_was_begun_before_there_was_a_setting(tmp_path):
    network = torch.nn.Linear(1, 1)
    engine = SimpleNamespace(
        state=SimpleNamespace(epoch=1, iteration=5),
        data_loader=SimpleNamespace(sampler=SimpleNamespace(start=0)),
        has_event_handler=lambda *_: True,
    )

    def resume(**how):
        return Resume(tmp_path / "resume.pt", network, torch.optim.Adam(network.parameters()), **how)

    resume(settings={"seed": 0}).save(engine)
    defaults = {"split": ("val",), "workers": 0}
    resume(settings={"seed": 0, "split": ["val"]}, defaults=defaults).load(engine)
    assert engine.data_loader.sampler.start == 5
    with pytest.raises(CheckpointError, match=r"other settings: split was \['val'\] and is \['test'\];"):
        resume(settings={"seed": 0, "split": ["test"]}, defaults=defaults).load(engine)


def test_another_network_is_refused(tmp_path):
    run_and_stop(tmp_path, 6)
    with pytest.raises(
        CheckpointError,
        match=r"resume.pt holds another network: .*size mismatch.*delete it to start this training again",
    ):
        tiny_run.build(tmp_path, width=16).run()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", {"format": "other"}])
def test_damaged_or_foreign_file_is_refused(content, tmp_path):
    path = tmp_path / "resume.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"resume\.pt"):
        tiny_run.build(tmp_path).run()


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    trainer = tiny_run.build(tmp_path)

    def spoil(engine):
        if engine.state.iteration == 2 * tiny_run.EPOCH_LENGTH:
            next(engine.network.parameters()).data[0, 0] = float("inf")

    trainer.add_event_handler(Events.ITERATION_COMPLETED, spoil)
    with pytest.raises(TrainingError, match=r"network.0.weight is not finite after iteration 10"):
        trainer.run()
    saved = torch.load(Path(tmp_path) / "resume.pt", weights_only=True)
    assert saved["epoch"] == 1
    assert not (tmp_path / "product.pt").exists()


def test_gradient_scaler_goes_on_where_it_was(tmp_path):
    def engine(scale):
        state = SimpleNamespace(epoch=1, iteration=5)
        loader = SimpleNamespace(sampler=SimpleNamespace(start=0))
        scaler = torch.amp.GradScaler("cpu", init_scale=scale)
        return SimpleNamespace(
            state=state, data_loader=loader, scaler=scaler, has_event_handler=lambda *_: True
        )

    network = torch.nn.Linear(1, 1)
    resume = Resume(tmp_path / "resume.pt", network, torch.optim.Adam(network.parameters()), settings={})
    resume.save(engine(scale=8.0))
    after = engine(scale=2.0)
    resume.load(after)
    assert after.scaler.get_scale() == 8.0
    after.scaler = None
    with pytest.raises(CheckpointError, match="a run that differs in: scaler"):
        resume.load(after)
