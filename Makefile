# `make demo` and `make test` need only Python 3.10 to 3.13, pip and make: the rest goes into .venv.
# Programs are called as modules of that Python, which works the same on Linux, macOS and Windows.
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := .venv/Scripts
else
PYTHON ?= python3
BIN := .venv/bin
endif
RUN := $(BIN)/python
MONET := $(RUN) -m monet_lib.cli

.PHONY: help install demo test types suite test-field test-machines test-browser test-kaggle notebooks kaggle site bench soak fuzz clean

help:
	@echo "make demo       paint photographs with the trained generator, and train one of your own, from nothing installed"
	@echo "make test       install and run all that CI runs"
	@echo "make test-field the tests of what users do and have: files of every kind, full disks, closed terminals, settings"
	@echo "make test-machines  run the tests of networks and scores with the instructions of older processors (15 min)"
	@echo "make test-browser  run the lessons in JupyterLab and Notebook 7 and the painting page, in a browser (needs Chromium,"
	@echo "                its driver, and npm)"
	@echo "make notebooks  build and execute notebooks/*.ipynb from notebooks/src/*.py"
	@echo "make kaggle     build kaggle/, notebooks that stand alone; USER=name REPO=owner/name fill in yours"
	@echo "make site       build the course as a site with the painting page, build/site/, and check its links (needs npm)"
	@echo "make test-kaggle  rehearse the submission as Kaggle runs it: two devices, a kill, older TensorFlow, Keras and NumPy"
	@echo "make bench      measure speed and memory, into benchmarks/README.md and the README (an hour)"
	@echo "make fuzz       read 3,000 damaged files of every kind: one line each, no traceback"
	@echo "make soak       kill and resume training 20 times, train every technique for 200 steps (half an hour)"

.venv/made:
	$(PYTHON) -m venv .venv
	$(RUN) -m pip install --quiet --upgrade pip
	touch $@

# To paint and to train takes fewer packages, and less time to install them, than to test.
.venv/trains .venv/installed: .venv/made pyproject.toml
	$(RUN) -m pip install --quiet --editable '.[$(if $(filter %trains,$@),train,test)]'
	touch $@

install: .venv/installed

demo: .venv/trains
	rm -rf build/demo
	$(MONET) translate data/photos --brush 2 --overwrite --out build/demo/paintings
	@$(RUN) tools/gallery.py data/photos build/demo/paintings build/demo/gallery.jpg
	$(MONET) train --profile demo --data data/sample --out build/demo/run
	$(MONET) submit --run build/demo/run --overwrite --out build/demo/images.zip
	@echo
	@echo "gallery:     build/demo/gallery.jpg, photographs painted by the course's trained generator"
	@echo "paintings:   build/demo/paintings"
	@echo "training:    build/demo/run/grids, build/demo/run/losses.png: the first steps of a generator of your own"
	@echo "submission:  build/demo/images.zip, painted by that one"

test: install
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(MAKE) --jobs 2 types suite
	$(RUN) tests/browser/short.py

types: install
	$(RUN) -m mypy

# Tests and lessons in two processes side by side, a file always in one of them.
suite: install
	$(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --nbval-lax --nbval-current-env tests notebooks

test-field: install
	$(RUN) -m pytest -v $(addprefix tests/test_,field.py photos.py files.py privacy.py surroundings.py survival.py)

test-machines: install
	$(RUN) tests/machines.py

test-browser: install
	$(RUN) -m pip install --quiet --editable '.[browser,site]'
	$(RUN) -m pytest tests/browser

notebooks: install
	$(RUN) tools/build_notebooks.py

# USER counts where it is given to make, not where the shell exports the login name.
kaggle: install
	$(RUN) tools/build_kaggle.py $(if $(filter command line,$(origin USER)),--user $(USER)) $(if $(REPO),--repo $(REPO))

site: install
	$(RUN) -m pip install --quiet --editable '.[site]'
	$(RUN) tools/build_site.py

test-kaggle: install
	$(RUN) -m pytest tests/kaggle

bench: install
	$(RUN) benchmarks/report.py
	$(RUN) benchmarks/lessons.py

fuzz: install
	MONET_FUZZ=3000 $(RUN) -m pytest tests/test_fuzz.py

soak: install
	MONET_KILLS=20 MONET_STEPS=200 $(RUN) -m pytest tests/test_kill.py tests/test_techniques.py

clean:
	rm -rf build runs .venv
