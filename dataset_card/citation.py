"""How to cite the paper whose dataset this rebuilds."""

from __future__ import annotations

PAPER = "https://arxiv.org/abs/2406.17294"
BIBTEX = f"""\
@inproceedings{{shi2024mathllava,
  title     = {{Math-{{LLaVA}}: Bootstrapping Mathematical Reasoning for Multimodal Large Language Models}},
  author    = {{Shi, Wenhao and Hu, Zhiqiang and Bin, Yi and Liu, Junhua and Yang, Yang and Ng, See-Kiong and Bing, Lidong and Lee, Roy Ka-Wei}},
  booktitle = {{Findings of the Association for Computational Linguistics: EMNLP 2024}},
  year      = {{2024}},
  url       = {{{PAPER}}},
}}
"""  # noqa: E501
