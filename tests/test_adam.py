"""Adam, against torch's own."""

import pytest
import torch
from tiny import numbers

from kohl.adam import Adam

# Two numbers that begin at 1 and -1, after 1, 2, 3 and 8 of torch's steps in float64 down the gradients below.
STEPS = (1, 2, 3, 8)
THEIRS = {
    (0.9, 0.999): [(0.9, -1.0999001), (0.8866831, -1.1402488), (0.8753355, -1.163514), (0.8591719, -1.2155268)],
    (0.5, 0.9): [(0.9, -1.0999001), (0.9, -1.147922), (0.8925172, -1.1807752), (0.8908468, -1.2806985)],
    (0.0, 0.99): [(0.9, -1.0999001), (0.9316706, -1.1700774), (0.9190263, -1.2272379), (0.9228815, -1.4324134)],
}


@pytest.mark.parametrize("betas", THEIRS)
def test_it_goes_where_torch_s_goes(betas):
    adam, apart, found = Adam(betas), [torch.ones(()), -torch.ones(())], []
    for index in range(max(STEPS)):
        gradients = [torch.tensor(3 * (-0.5) ** index), torch.tensor(10.0 ** (index - 5))]
        adam(apart, gradients, 0.1 / (index + 1))
        found += [torch.stack(apart)] if index + 1 in STEPS else []
    torch.testing.assert_close(torch.stack(found), torch.tensor(THEIRS[betas]), rtol=0, atol=1e-6)


@pytest.mark.slow  # torch's needs seconds to be imported
@pytest.mark.parametrize("betas", THEIRS)
def test_it_is_the_one_of_torch(betas):
    start = torch.randn(3, 4, generator=numbers())
    ours, theirs = start.clone(), start.clone().requires_grad_()
    mine, reference = Adam(betas), torch.optim.Adam([theirs], betas=betas)
    for index in range(8):
        theirs.grad = torch.randn(3, 4, generator=numbers(index)) * 10 ** (index - 5)
        reference.param_groups[0]["lr"] = rate = 0.1 / (index + 1)
        reference.step()
        mine([ours], [theirs.grad], rate)
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)
