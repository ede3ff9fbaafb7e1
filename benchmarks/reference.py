"""The field's way: what a competent practitioner writes with torchvision, scipy and numpy. The yardstick.

Images are Pillow's, one at a time, in the workers of a DataLoader; nets are torch's modules in float32 and
NCHW; torch.optim steps. Nothing of it is needlessly slow: evaluation goes in large batches, workers stay.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import zoom
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mimic.data.image_parameters import CHANNELS, Augmentation
from mimic.data.packed import Split, open_split
from mimic.nets import layers as nets
from mimic.training.recipe import ModelTask, hyperparameters

WORKERS = 2
EVALUATED = 500  # images at once
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # CIFAR-10's


class Images(Dataset):
    """As torchvision's CIFAR10: arrays, of which each item becomes a Pillow image and is transformed."""

    def __init__(self, split: Split, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.images_NHWC = np.ascontiguousarray(split.images_NCHW.transpose(0, 2, 3, 1))
        self.labels_N = split.labels_N.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels_N)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.images_NHWC[index])), self.labels_N[index]


def augmenting(augmentation: Augmentation, size: int) -> transforms.Compose:
    """The paper's augmentation with what torchvision has for it."""
    (least, most), hsv = augmentation.window, augmentation.hsv
    return transforms.Compose(
        [
            transforms.RandomHorizontalFlip(),
            transforms.RandomResizedCrop(
                size,
                scale=((least / size) ** 2, (most / size) ** 2),
                ratio=(1, 1),
                interpolation=transforms.InterpolationMode.BICUBIC,
            ),
            transforms.ColorJitter(brightness=hsv.Dv, saturation=hsv.Ds, hue=hsv.Dh),
            *_to_net(),
        ]
    )


def _to_net() -> list[Callable]:
    return [transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)]


def net_of(layers: nets.Layers, size: int) -> nn.Sequential:
    """The same architecture, module by module, as one writes it down."""
    modules: list[nn.Module] = []
    shape: nets.Shape = (CHANNELS, size, size)
    for layer in layers:
        modules += _modules(layer, shape)
        shape = layer.output(shape)
    return nn.Sequential(*modules)


def _modules(layer: nets.Layer, shape: nets.Shape) -> list[nn.Module]:
    match layer:
        case nets.Conv(filters=filters, kernel=kernel, bias=bias):
            return [nn.Conv2d(shape[0], filters, kernel, padding=kernel // 2, bias=bias)]
        case nets.Whitening(kernel=kernel):
            fixed = nn.Conv2d(shape[0], layer.output(shape)[0], kernel, bias=False)
            return [fixed.requires_grad_(False)]
        case nets.Pool(size=size):
            return [nn.MaxPool2d(size)]
        case nets.Linear(units=units):
            return [nn.Linear(shape[0], units)]
        case nets.BatchNorm():
            return [nn.BatchNorm2d(shape[0])]
        case nets.ReLU():
            return [nn.ReLU(inplace=True)]
        case nets.Dropout(rate=rate):
            return [nn.Dropout(rate)]
        case nets.Flatten():
            return [nn.Flatten()]
    raise TypeError(f"no module for {layer}")


class Training:
    """A net, its optimiser and its loaders; `epoch` trains and looks at the validation images."""

    def __init__(self, task: ModelTask, data: Path) -> None:
        """The net of `task`, on the packed images in `data`."""
        train, validation = open_split(data, "train"), open_split(data, "validation")
        size, recipe = train.images_NCHW.shape[-1], hyperparameters(task)
        self.net = net_of(task.net, size)
        self._optimiser = torch.optim.SGD(
            [weight for weight in self.net.parameters() if weight.requires_grad],
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=True,
        )
        self._criterion = nn.CrossEntropyLoss()
        common = {"num_workers": WORKERS, "persistent_workers": True}
        self._train = DataLoader(
            Images(train, augmenting(task.augmentation, size)), task.batch_size, shuffle=True, **common
        )
        plain = transforms.Compose(_to_net())
        self._validation = DataLoader(Images(validation, plain), EVALUATED, **common)

    def warm_up(self) -> None:
        """Start the workers, and have torch prepare what it does for new shapes."""
        iter(self._train), iter(self._validation)
        images_NHWC = self._train.dataset.images_NHWC[: self._train.batch_size]
        images_NCHW = torch.from_numpy(images_NHWC).permute(0, 3, 1, 2).float().contiguous() / 255
        self.step(images_NCHW, torch.zeros(len(images_NCHW), dtype=torch.int64))

    def step(self, images_NCHW: torch.Tensor, labels_N: torch.Tensor) -> None:
        self._optimiser.zero_grad()
        self._criterion(self.net(images_NCHW), labels_N).backward()
        self._optimiser.step()

    def epoch(self) -> float:
        """The accuracy on the validation images, which are looked at twice: as in an epoch of ours."""
        self.net.train()
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimiser, self._optimiser.defaults["lr"], total_steps=len(self._train) + 1
        )
        for images_NCHW, labels_N in self._train:
            self.step(images_NCHW, labels_N)
            schedule.step()
        return (self._accuracy() + self._accuracy()) / 2

    @torch.inference_mode()
    def _accuracy(self) -> float:
        self.net.eval()
        correct = images = 0
        for images_NCHW, labels_N in self._validation:
            correct += int((self.net(images_NCHW).argmax(1) == labels_N).sum())
            images += len(labels_N)
        return correct / images


def augmented(image_CHW: np.ndarray, draws_D: np.ndarray, augmentation: Augmentation) -> np.ndarray:
    """The paper's augmentation of one image, exactly, with scipy and numpy: float in 0..255.

    `draws_D` are those of mimic.data.augment, and so is the result, within rounding.
    """
    mirror, size, x, y, hue, s_factor, s_shift, v_factor, v_shift = draws_D
    hsv, (least, most), side = augmentation.hsv, augmentation.window, image_CHW.shape[-1]
    if mirror < augmentation.mirror:
        image_CHW = image_CHW[:, :, ::-1]
    size = least + int(size * (most - least + 1))
    x, y = int(x * (side - size + 1)), int(y * (side - size + 1))
    window = image_CHW[:, y : y + size, x : x + size].astype(np.float32)
    resized = np.stack([zoom(channel, side / size, order=3) for channel in window]).clip(0, 255)
    h, s, v = _to_hsv(resized / 255)
    h = (h + hsv.Dh * (2 * hue - 1)) % 1
    s = s * np.interp(s_factor, (0, 1), (1 / (1 + hsv.As), 1 + hsv.As)) + hsv.Ds * (2 * s_shift - 1)
    v = v * np.interp(v_factor, (0, 1), (1 / (1 + hsv.Av), 1 + hsv.Av)) + hsv.Dv * (2 * v_shift - 1)
    return 255 * _to_rgb(h, s.clip(0, 1), v.clip(0, 1))


def standardised(image_CHW: np.ndarray) -> np.ndarray:
    return (image_CHW - image_CHW.mean()) / max(image_CHW.std(), 1e-5)


def _to_hsv(rgb_CHW: np.ndarray) -> Iterator[np.ndarray]:
    """As colorsys and skimage have it, all pixels at once."""
    red, green, blue = rgb_CHW
    value, delta = rgb_CHW.max(axis=0), np.ptp(rgb_CHW, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        saturation = np.where(value > 0, delta / value, 0)
        sextant = np.select(
            [red == value, green == value],
            [(green - blue) / delta, 2 + (blue - red) / delta],
            4 + (red - green) / delta,
        )
    return np.where(delta > 0, sextant / 6 % 1, 0), saturation, value


def _to_rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    distance = (np.array([5, 3, 1])[:, None, None] + 6 * hue) % 6
    return value - value * saturation * np.minimum(distance, 4 - distance).clip(0, 1)
