"""Every text a person reads, in the language of that person: marked where it is written, looked up when shown.

The English text in the code is the catalogue's key; ``zh.po`` beside this file holds the Chinese. Whatever is
stored or cached is English and is turned by :func:`tabnet_engine.texts.recalling.recalled` when it is shown.
"""
