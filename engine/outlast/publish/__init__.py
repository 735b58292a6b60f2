"""Pictures inside documentation: a directive for Sphinx, an extension for Markdown (MkDocs), and what both say.

pieces      what was asked for -> an inline SVG with its words
sphinx      the directive `outlast`
markdown    the fenced block `outlast`
"""
