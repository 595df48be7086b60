# `make demo` and `make test` need only Python 3.10 to 3.13, pip and make: the rest goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install demo test test-browser test-kaggle notebooks kaggle bench soak clean

help:
	@echo "make demo       paint photographs with the trained generator, and train one of your own, from nothing installed"
	@echo "make test       install and run all that CI runs"
	@echo "make test-browser  run the lessons in JupyterLab and Notebook 7, in a browser (needs Chromium and its driver)"
	@echo "make notebooks  build and execute notebooks/*.ipynb from notebooks/src/*.py"
	@echo "make kaggle     build kaggle/, notebooks that stand alone; USER=name fills in your Kaggle user name"
	@echo "make test-kaggle  run all of these on their own, also with the TensorFlow, Keras and NumPy of older images"
	@echo "make bench      measure speed and memory, into benchmarks/README.md and the README (an hour)"
	@echo "make soak       kill and resume training 20 times, train every technique for 200 steps (half an hour)"

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

install: .venv/installed

demo: install
	rm -rf build/demo
	monet translate data/photos --brush 2 --out build/demo/paintings
	@python tools/gallery.py data/photos build/demo/paintings build/demo/gallery.jpg --pairs 2
	monet train --data data/sample --profile laptop --steps 400 --out build/demo/run
	monet submit --run build/demo/run --out build/demo/images.zip
	@echo
	@echo "gallery:     build/demo/gallery.jpg, photographs painted by the course's trained generator"
	@echo "paintings:   build/demo/paintings"
	@echo "training:    build/demo/run/grids, build/demo/run/losses.png: the first 400 steps of a generator of your own"
	@echo "submission:  build/demo/images.zip, painted by that one"

test: install
	ruff check .
	ruff format --check .
	python -m pytest tests
	python -m pytest --nbval-lax --nbval-current-env notebooks

test-browser: install
	python -m pip install --quiet --editable '.[browser]'
	python -m pytest tests/browser

notebooks: install
	python tools/build_notebooks.py

# Only a USER given to make is meant, not the login name that the shell exports.
kaggle: install
	python tools/build_kaggle.py $(if $(filter command line,$(origin USER)),--user $(USER))

test-kaggle: install
	python -m pytest tests/kaggle

bench: install
	python benchmarks/report.py
	python benchmarks/lessons.py

soak: install
	MONET_KILLS=20 MONET_STEPS=200 python -m pytest tests/test_kill.py tests/test_techniques.py

clean:
	rm -rf build runs .venv
