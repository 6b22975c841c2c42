"""The network behind lstm_model.py and its training; the underscore keeps the registry from loading torch."""

from __future__ import annotations

import os
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from shared.errors import UnstableFit
from worker.models.base import FloatArray

BATCH = 64
PATIENCE = 10  # epochs without a better tail
TAIL = 0.2  # share of the training windows, the newest, that only decides when to stop
MAX_GRADIENT = 1.0  # norm


class DirectLstm(nn.Module):
    """Context → state → all steps of the horizon at once.

    One small head serves every step and is told which by the calendar: it needs far fewer windows than one output per step.
    """

    def __init__(self, *, past_features: int, future_features: int, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(past_features, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Linear(hidden + future_features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, past: Tensor, future: Tensor) -> Tensor:
        """(windows, context, past features), (windows, horizon, future features) → (windows, horizon)."""
        _, (state, _) = self.lstm(past)
        state = state[-1].unsqueeze(1).expand(-1, future.shape[1], -1)
        answer: Tensor = self.head(torch.cat([state, future], dim=2)).squeeze(2)
        return answer


def fit_and_forecast(
    past: FloatArray, future: FloatArray, answers: FloatArray, *, hidden: int, epochs: int, learning_rate: float, seed: int
) -> FloatArray:
    """Train on the windows that have an answer and answer the last one, which has none.

    Args:
        past: (windows + 1, context, features), oldest window first.
        future: (windows + 1, horizon, features).
        answers: (windows, horizon).
        hidden: size of the state and of the head's inner layer.
        epochs: at most so many passes over the training windows.
        learning_rate: of Adam.
        seed: of weights and batches; the process's own random state is left as it was.

    Returns:
        Shape (horizon,). Raises UnstableFit when the training diverges.
    """
    torch.set_num_threads(_threads())  # more than a worker has cores for would only fight for them
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda" if has_gpu else "cpu")
    x, z, y = (torch.as_tensor(values, dtype=torch.float32, device=device) for values in (past, future, answers))
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if has_gpu else []):
        torch.manual_seed(seed)
        network = DirectLstm(past_features=x.shape[2], future_features=z.shape[2], hidden=hidden).to(device)
        _train(network, x[:-1], z[:-1], y, epochs=epochs, learning_rate=learning_rate)
    with torch.no_grad():
        forecast = network(x[-1:], z[-1:])[0]
    return np.asarray(forecast.cpu().numpy(), dtype=np.float64)


def _threads() -> int:
    """As many as all libraries of this process are given; one where nobody has said how many."""
    given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return int(given) if given.isdecimal() and int(given) else 1


def _train(network: DirectLstm, past: Tensor, future: Tensor, answers: Tensor, *, epochs: int, learning_rate: float) -> None:
    """Adam on the absolute error, which is what is scored; the weights that were best on the tail stay."""
    first_of_tail = len(answers) - max(1, int(TAIL * len(answers)))
    loss = nn.L1Loss()
    adam = torch.optim.Adam(network.parameters(), lr=learning_rate)
    best_error, best_epoch, best_weights = np.inf, 0, network.state_dict()
    for epoch in range(epochs):
        for batch in torch.split(torch.randperm(first_of_tail), BATCH):
            adam.zero_grad()
            loss(network(past[batch], future[batch]), answers[batch]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
            adam.step()
        with torch.no_grad():
            error = loss(network(past[first_of_tail:], future[first_of_tail:]), answers[first_of_tail:]).item()
        if error < best_error:
            best_error, best_epoch, best_weights = error, epoch, deepcopy(network.state_dict())
        elif epoch - best_epoch >= PATIENCE:
            break
    if not np.isfinite(best_error):
        raise UnstableFit("the training diverged: its error is not finite")
    network.load_state_dict(best_weights)
