"""Trained networks: families shipped with the project, and the reader's own library. Torch is loaded on use."""

from softmerge_core.zoo.adding import add_file_to_library, add_poisoned_copy
from softmerge_core.zoo.intake import get_ready, take_in
from softmerge_core.zoo.library import (
    LibraryModel,
    add_to_library,
    check_name,
    library,
    library_folder,
    library_model,
    remove_from_library,
    same_data,
    same_kind,
    slug,
)
from softmerge_core.zoo.manifest import BASE, FamilyInfo, LayerInfo, ModelInfo, families
from softmerge_core.zoo.measured import keep_accuracy, known_accuracy, spoiled_accuracy
from softmerge_core.zoo.own import all_families, own_families
from softmerge_core.zoo.sources import (
    LIBRARY,
    Family,
    Source,
    card_title,
    find_source,
    is_weights_file,
    load_base,
    load_family,
    load_source,
    recognise,
    weights_file,
)
from softmerge_core.zoo.verdicts import Asked, FileAsked, Verdict

__all__ = [
    "BASE",
    "LIBRARY",
    "Asked",
    "Family",
    "FamilyInfo",
    "FileAsked",
    "LayerInfo",
    "LibraryModel",
    "ModelInfo",
    "Source",
    "Verdict",
    "add_file_to_library",
    "add_poisoned_copy",
    "add_to_library",
    "all_families",
    "card_title",
    "check_name",
    "families",
    "find_source",
    "get_ready",
    "is_weights_file",
    "keep_accuracy",
    "known_accuracy",
    "library",
    "library_folder",
    "library_model",
    "load_base",
    "load_family",
    "load_source",
    "own_families",
    "recognise",
    "remove_from_library",
    "same_data",
    "same_kind",
    "slug",
    "spoiled_accuracy",
    "take_in",
    "weights_file",
]
