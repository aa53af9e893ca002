"""The documentation site: `make docs` builds it, without a network, and warnings are errors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from gmmcompare import __version__
from gmmcompare.comparison import thresholds
from gmmcompare.validation import error_rates

project = "gmmcompare"
author = "The gmmcompare developers"
project_copyright = author
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "cards",
    "commands",
    "json_files",
    "mathml",
    "public",
    "runs",
    "site_pages",
]
exclude_patterns = ["_build", "_extensions", "_static"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "substitution"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# numpydoc reads docstrings; one page lists what is public, so no tables of members beside it.
numpydoc_show_class_members = False
numpydoc_use_plots = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
nitpicky = False

html_theme = "furo"
html_title = f"gmmcompare {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": True}

# The numbers in the text are those in the code.
myst_substitutions = {
    "min_chains": str(thresholds.MIN_CHAINS),
    "max_rhat": str(thresholds.MAX_RHAT),
    "min_ess": f"{thresholds.MIN_ESS:,.0f}",
    "mode_gap": f"{thresholds.MODE_GAP:g}",
    "confirm_alpha": str(thresholds.CONFIRM_ALPHA),
    "unrepeated_alpha": f"{thresholds.UNREPEATED_ALPHA:g}",
    "max_rounds": str(thresholds.MAX_ROUNDS),
    "cloud_quantile": str(thresholds.CLOUD_QUANTILE),
    "invariance_alpha": f"{error_rates.INVARIANCE:g}",
}
