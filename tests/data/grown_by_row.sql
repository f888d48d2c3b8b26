BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('v3.2.0.a');
CREATE TABLE studies (
	study_id INTEGER NOT NULL, 
	study_name VARCHAR(512) NOT NULL, 
	PRIMARY KEY (study_id)
);
INSERT INTO "studies" VALUES(1,'grown');
INSERT INTO "studies" VALUES(2,'grown / outer 1 of 2');
INSERT INTO "studies" VALUES(3,'grown / outer 2 of 2');
CREATE TABLE study_directions (
	study_direction_id INTEGER NOT NULL, 
	direction VARCHAR(8) NOT NULL, 
	study_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	PRIMARY KEY (study_direction_id), 
	UNIQUE (study_id, objective), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_directions" VALUES(1,'MAXIMIZE',1,0);
INSERT INTO "study_directions" VALUES(2,'MAXIMIZE',2,0);
INSERT INTO "study_directions" VALUES(3,'MAXIMIZE',3,0);
CREATE TABLE study_system_attributes (
	study_system_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_system_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id INTEGER NOT NULL, 
	study_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (study_user_attribute_id), 
	UNIQUE (study_id, "key"), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "study_user_attributes" VALUES(1,1,'sweep:study','{"format": 2, "spec": {"study": {"name": "grown", "seed": 0, "description": ""}, "data": {"dataset": "digits", "sample": "first", "scaling": "unit", "color": "rgb", "test_fraction": 0.2}, "model": {"factory": "mlp", "epochs": 5}, "search": {"method": "grid", "cv": 2, "repeats": 1, "seeds": 1, "scoring": "accuracy", "train_scores": true, "refit": true, "choose": "best", "nested": 2, "objectives": ["score"], "curves": true}, "space": {"hidden_size": [1, 2, 64]}, "report": {"pivots": [], "sections": []}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "folder": "/studies"}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "data": {"name": "digits", "fingerprint": "d21eba25d1b1cb67863c2d7128c81c8fb811a8c038c34560ebb4e62ce77a6f38", "train_rows": 1437, "test_rows": 360, "shape": [8, 8], "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "class_counts": [142, 145, 142, 146, 145, 146, 145, 143, 139, 144], "positive": ""}, "environment": {"python": "3.11.7", "sweep": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "scikit-learn": "1.9.1", "optuna": "5.0.0", "numpy": "2.4.6", "pandas": "3.1.1", "system": "Linux x86_64", "processor": "AMD EPYC"}, "created": "2026-11-27T11:39:40+00:00", "planned": 3, "uid": "3d4a1096d3ff", "owner": "somebody@box", "code": "", "patience_from": 2}');
INSERT INTO "study_user_attributes" VALUES(2,1,'sweep:stop','null');
INSERT INTO "study_user_attributes" VALUES(3,1,'sweep:opening:2026-11-27T11:39:52.368+00:00','{"opened_at": "2026-11-27T11:39:52.368+00:00", "candidate": 1, "params": {"hidden_size": 64}, "score": 0.9138888888888889, "sweep:digest": "8a66ab77355988f19436331f07f3bb0e"}');
INSERT INTO "study_user_attributes" VALUES(4,1,'sweep:winner','{"candidate": 1, "params": {"hidden_size": 64}, "chosen_at": "2026-11-27T11:39:52+00:00", "test_score": 0.9138888888888889, "test_opened_at": "2026-11-27T11:39:52.368+00:00", "test_rows": 360, "train_rows": 1437, "test_openings": 1, "refit_seconds": 0.3212214700001823, "history": {"loss": [2.0736132960561755, 1.5028890685729874, 1.0370020256244896, 0.7366646607468007, 0.557612530207916], "accuracy": [0.36325678496868474, 0.7522616562282533, 0.8622129436325678, 0.8970076548364648, 0.9095337508698678]}, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]], "confusion": [[36, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 34, 0, 0, 0, 0, 0, 0, 1, 2], [0, 0, 35, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 33, 0, 2, 0, 0, 1, 0], [0, 1, 0, 0, 32, 0, 0, 1, 1, 1], [0, 1, 0, 0, 0, 33, 0, 0, 0, 2], [0, 2, 0, 0, 1, 0, 33, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 34, 2, 0], [0, 1, 0, 0, 1, 1, 0, 0, 30, 2], [0, 0, 0, 0, 0, 3, 0, 2, 2, 29]], "precision": "float32", "test_loss": 0.5386463977760402, "weights": [["dense_1/kernel", [64, 64]], ["dense_1/bias", [64]], ["output/kernel", [64, 10]], ["output/bias", [10]]], "sweep:digest": "d204cc8c55adfb6279524c52aef3be38"}');
INSERT INTO "study_user_attributes" VALUES(5,2,'sweep:study','{"format": 2, "spec": {"study": {"name": "grown", "seed": 0, "description": ""}, "data": {"dataset": "digits", "sample": "first", "scaling": "unit", "color": "rgb", "test_fraction": 0.2}, "model": {"factory": "mlp", "epochs": 5}, "search": {"method": "grid", "cv": 2, "repeats": 1, "seeds": 1, "scoring": "accuracy", "train_scores": true, "refit": true, "choose": "best", "objectives": ["score"], "curves": true}, "space": {"hidden_size": [1, 2, 64]}, "report": {"pivots": [], "sections": []}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "folder": "/studies"}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "data": {"name": "digits", "fingerprint": "fd13369f35c96ac7c143885a5d9ec6d76d31881141b14b5845e93e2b61e2fb67", "train_rows": 718, "test_rows": 719, "shape": [8, 8], "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "class_counts": [71, 72, 71, 73, 73, 73, 72, 71, 70, 72], "positive": ""}, "environment": {"python": "3.11.7", "sweep": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "scikit-learn": "1.9.1", "optuna": "5.0.0", "numpy": "2.4.6", "pandas": "3.1.1", "system": "Linux x86_64", "processor": "AMD EPYC"}, "created": "2026-11-27T11:39:53+00:00", "planned": 3, "uid": "a300ff0b6f78", "owner": "somebody@box", "code": "", "part": {"study": "grown", "number": 1, "of": 2}, "patience_from": 2}');
INSERT INTO "study_user_attributes" VALUES(6,2,'sweep:opening:2026-11-27T11:39:57.244+00:00','{"opened_at": "2026-11-27T11:39:57.244+00:00", "candidate": 1, "params": {"hidden_size": 64}, "score": 0.8414464534075105, "sweep:digest": "59d2de1ff20152e9d2bb70bca06a8aff"}');
INSERT INTO "study_user_attributes" VALUES(7,2,'sweep:winner','{"candidate": 1, "params": {"hidden_size": 64}, "chosen_at": "2026-11-27T11:39:56+00:00", "test_score": 0.8414464534075105, "test_opened_at": "2026-11-27T11:39:57.244+00:00", "test_rows": 719, "train_rows": 718, "test_openings": 1, "refit_seconds": 0.3157517810000172, "history": {"loss": [2.1966725790401025, 1.8859393407375367, 1.5814001450631612, 1.2982967799752536, 1.0636566943776973], "accuracy": [0.21309192200557103, 0.5891364902506964, 0.7562674094707521, 0.8175487465181058, 0.8551532033426184]}, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]], "confusion": [[71, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 48, 4, 1, 6, 0, 0, 6, 5, 3], [0, 3, 60, 3, 1, 0, 0, 2, 2, 0], [1, 0, 6, 49, 0, 0, 0, 1, 0, 16], [0, 0, 0, 0, 64, 0, 0, 8, 0, 0], [1, 0, 0, 0, 1, 69, 0, 0, 1, 1], [2, 1, 0, 0, 0, 0, 70, 0, 0, 0], [0, 1, 0, 0, 4, 0, 0, 66, 0, 1], [4, 2, 1, 3, 0, 2, 1, 0, 54, 2], [3, 0, 0, 1, 11, 0, 0, 3, 0, 54]], "precision": "float32", "test_loss": 1.0817821329087267, "weights": [["dense_1/kernel", [64, 64]], ["dense_1/bias", [64]], ["output/kernel", [64, 10]], ["output/bias", [10]]], "sweep:digest": "3c01cef22361f6985e8bfe5f5b4b19c6"}');
INSERT INTO "study_user_attributes" VALUES(8,3,'sweep:study','{"format": 2, "spec": {"study": {"name": "grown", "seed": 0, "description": ""}, "data": {"dataset": "digits", "sample": "first", "scaling": "unit", "color": "rgb", "test_fraction": 0.2}, "model": {"factory": "mlp", "epochs": 5}, "search": {"method": "grid", "cv": 2, "repeats": 1, "seeds": 1, "scoring": "accuracy", "train_scores": true, "refit": true, "choose": "best", "objectives": ["score"], "curves": true}, "space": {"hidden_size": [1, 2, 64]}, "report": {"pivots": [], "sections": []}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "folder": "/studies"}, "source": "[study]\nname = \"grown\"\nseed = 0\ndescription = \"\"\n\n[data]\ndataset = \"digits\"\nsample = \"first\"\nscaling = \"unit\"\ncolor = \"rgb\"\ntest_fraction = 0.2\n\n[model]\nfactory = \"mlp\"\nepochs = 5\n\n[search]\nmethod = \"grid\"\ncv = 2\nrepeats = 1\nseeds = 1\nscoring = \"accuracy\"\ntrain_scores = true\nrefit = true\nchoose = \"best\"\nnested = 2\nobjectives = [\"score\"]\ncurves = true\n\n[space]\nhidden_size = [1, 2, 64]\n\n[report]\npivots = []\nsections = []\n", "data": {"name": "digits", "fingerprint": "774653bb3d147c0e93d6300f407c0556b1d8738c140feb0618bdc69e290987f1", "train_rows": 719, "test_rows": 718, "shape": [8, 8], "classes": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "class_counts": [71, 73, 71, 73, 72, 73, 73, 72, 69, 72], "positive": ""}, "environment": {"python": "3.11.7", "sweep": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1", "scikit-learn": "1.9.1", "optuna": "5.0.0", "numpy": "2.4.6", "pandas": "3.1.1", "system": "Linux x86_64", "processor": "AMD EPYC"}, "created": "2026-11-27T11:39:58+00:00", "planned": 3, "uid": "bc45a7eba84d", "owner": "somebody@box", "code": "", "part": {"study": "grown", "number": 2, "of": 2}, "patience_from": 2}');
INSERT INTO "study_user_attributes" VALUES(9,3,'sweep:opening:2026-11-27T11:40:02.131+00:00','{"opened_at": "2026-11-27T11:40:02.131+00:00", "candidate": 1, "params": {"hidden_size": 64}, "score": 0.8426183844011143, "sweep:digest": "47fa231c7363bb9ccf3264b67bb3bcae"}');
INSERT INTO "study_user_attributes" VALUES(10,3,'sweep:winner','{"candidate": 1, "params": {"hidden_size": 64}, "chosen_at": "2026-11-27T11:40:01+00:00", "test_score": 0.8426183844011143, "test_opened_at": "2026-11-27T11:40:02.131+00:00", "test_rows": 718, "train_rows": 719, "test_openings": 1, "refit_seconds": 0.4000406399999292, "history": {"loss": [2.205153056411319, 1.9057880124395845, 1.6022607917082659, 1.3209346723490198, 1.0726475624447904], "accuracy": [0.18776077885952713, 0.5785813630041725, 0.7510431154381085, 0.8358831710709318, 0.8817802503477051]}, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]], "confusion": [[69, 0, 0, 0, 2, 0, 0, 0, 0, 0], [0, 47, 9, 0, 2, 1, 0, 0, 2, 11], [1, 2, 66, 2, 0, 0, 0, 0, 0, 0], [3, 4, 3, 52, 0, 0, 2, 1, 1, 7], [1, 0, 0, 0, 70, 2, 0, 0, 0, 0], [0, 0, 0, 0, 1, 59, 5, 0, 0, 8], [0, 1, 0, 0, 0, 0, 71, 0, 0, 0], [0, 0, 0, 0, 1, 2, 0, 67, 1, 0], [0, 5, 2, 2, 0, 5, 0, 1, 44, 11], [3, 0, 0, 5, 0, 3, 0, 1, 0, 60]], "precision": "float32", "test_loss": 1.0167345899407814, "weights": [["dense_1/kernel", [64, 64]], ["dense_1/bias", [64]], ["output/kernel", [64, 10]], ["output/bias", [10]]], "sweep:digest": "e4cd99beb139182d1cc474ab771164ab"}');
INSERT INTO "study_user_attributes" VALUES(11,1,'sweep:nested','{"folds": [{"score": 0.8414464534075105, "inner_score": 0.13649025069637882, "params": {"hidden_size": 64}, "train_rows": 718, "test_rows": 719}, {"score": 0.8426183844011143, "inner_score": 0.10432141751779635, "params": {"hidden_size": 64}, "train_rows": 719, "test_rows": 718}], "planned": 3, "ended_at": "2026-11-27T11:40:31+00:00", "sweep:digest": "3e6131255cd65355ca522f3622b2d75e"}');
INSERT INTO "study_user_attributes" VALUES(12,1,'sweep:importances','{"evaluator": "", "values": {}, "n": 0, "complete": 3, "seconds": 0.0, "caution": "", "left_out": [], "reason": "fewer than 20 complete candidates"}');
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	heartbeat DATETIME NOT NULL, 
	PRIMARY KEY (trial_heartbeat_id), 
	UNIQUE (trial_id), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_heartbeats" VALUES(1,1,'2026-11-27 11:39:49');
INSERT INTO "trial_heartbeats" VALUES(2,2,'2026-11-27 11:39:50');
INSERT INTO "trial_heartbeats" VALUES(3,3,'2026-11-27 11:39:53');
INSERT INTO "trial_heartbeats" VALUES(4,4,'2026-11-27 11:39:55');
INSERT INTO "trial_heartbeats" VALUES(5,5,'2026-11-27 11:39:58');
INSERT INTO "trial_heartbeats" VALUES(6,6,'2026-11-27 11:40:00');
INSERT INTO "trial_heartbeats" VALUES(7,7,'2026-11-27 11:40:21');
INSERT INTO "trial_heartbeats" VALUES(8,8,'2026-11-27 11:40:23');
INSERT INTO "trial_heartbeats" VALUES(9,9,'2026-11-27 11:40:28');
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	intermediate_value FLOAT, 
	intermediate_value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_intermediate_value_id), 
	UNIQUE (trial_id, step), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_params (
	param_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	param_name VARCHAR(512), 
	param_value FLOAT, 
	distribution_json TEXT, 
	PRIMARY KEY (param_id), 
	UNIQUE (trial_id, param_name), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_params" VALUES(1,1,'hidden_size',64.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(2,2,'hidden_size',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(3,3,'hidden_size',64.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(4,4,'hidden_size',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(5,5,'hidden_size',64.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(6,6,'hidden_size',2.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 2, "high": 64}}');
INSERT INTO "trial_params" VALUES(7,7,'hidden_size',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 64}}');
INSERT INTO "trial_params" VALUES(8,8,'hidden_size',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 64}}');
INSERT INTO "trial_params" VALUES(9,9,'hidden_size',1.0,'{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 1, "high": 64}}');
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_system_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id INTEGER NOT NULL, 
	trial_id INTEGER, 
	"key" VARCHAR(512), 
	value_json TEXT, 
	PRIMARY KEY (trial_user_attribute_id), 
	UNIQUE (trial_id, "key"), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_user_attributes" VALUES(1,1,'sweep:cell','{"key": "{\"hidden_size\":64}", "params": {"hidden_size": 64}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(2,2,'sweep:cell','{"key": "{\"hidden_size\":2}", "params": {"hidden_size": 2}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(3,1,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(4,1,'sweep:result','{"splits": [{"test": {"1": 0.3574408901251738, "2": 0.6105702364394993, "3": 0.7315716272600834, "4": 0.7816411682892906, "5": 0.8414464534075105}, "train": {"5": 0.8704735376044568}, "seconds": {"1": 0.5854079850000744, "2": 0.5992205600000489, "3": 0.6138902130001043, "4": 0.6257047320001448, "5": 0.6459424060001311}, "score_seconds": 0.05297284840000884, "history": {"loss": [2.1966725790401025, 1.8859393407375367, 1.5814001450631612, 1.2982967799752536, 1.0636566943776973], "accuracy": [0.21309192200557103, 0.5891364902506964, 0.7562674094707521, 0.8175487465181058, 0.8551532033426184]}, "n_test": 719, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.0676229505530346, "2": 1.798538737181071, "3": 1.525512757775396, "4": 1.283312687984251, "5": 1.0817821329087267}}, {"test": {"1": 0.4275766016713092, "2": 0.6949860724233984, "3": 0.7688022284122563, "4": 0.8161559888579387, "5": 0.8426183844011143}, "train": {"5": 0.9026425591098748}, "seconds": {"1": 0.023106238000082158, "2": 0.04446896900003594, "3": 0.05985612100005255, "4": 0.06875067500004661, "5": 0.08131413300009172}, "score_seconds": 0.007709376200000406, "history": {"loss": [2.205153056411319, 1.9057880124395845, 1.6022607917082659, 1.3209346723490198, 1.0726475624447904], "accuracy": [0.18776077885952713, 0.5785813630041725, 0.7510431154381085, 0.8358831710709318, 0.8817802503477051]}, "n_test": 718, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.0467816460615715, "2": 1.7574662415464455, "3": 1.4724207520772843, "4": 1.2229105594398826, "5": 1.0167345899407814}}], "parameters": 4810, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]]}');
INSERT INTO "trial_user_attributes" VALUES(5,1,'sweep:digest','"8eda4dd8aeb2f0882ce7eeb3be7d7dbd"');
INSERT INTO "trial_user_attributes" VALUES(6,1,'sweep:summary','{"key": "{\"hidden_size\":64}", "state": "COMPLETE", "value": 0.8420324189043124, "rows": 1, "copied": 0, "digest": "8eda4dd8aeb2f0882ce7eeb3be7d7dbd"}');
INSERT INTO "trial_user_attributes" VALUES(7,2,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(8,2,'sweep:result','{"splits": [{"test": {"1": 0.10570236439499305, "2": 0.12378303198887343, "3": 0.10848400556328233, "4": 0.1168289290681502, "5": 0.15159944367176634}, "train": {"5": 0.1796657381615599}, "seconds": {"1": 0.4264020010000422, "2": 0.44366253900011543, "3": 0.46262335500011886, "4": 0.4834459680001828, "5": 0.5112498270001424}, "score_seconds": 0.05897092560001056, "history": {"loss": [2.3510352688579506, 2.2975153790210947, 2.2647346029042534, 2.23641374449876, 2.2080157786026637], "accuracy": [0.10445682451253482, 0.11281337047353761, 0.12813370473537605, 0.1573816155988858, 0.16852367688022285]}, "n_test": 719, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.2881882504306765, "2": 2.2537188216715163, "3": 2.2297643629884223, "4": 2.2068873741190753, "5": 2.1836494554964743}}, {"test": {"1": 0.11002785515320335, "2": 0.10445682451253482, "3": 0.12534818941504178, "4": 0.14066852367688024, "5": 0.14623955431754876}, "train": {"5": 0.1474269819193324}, "seconds": {"1": 0.05513880099999824, "2": 0.07822892900003353, "3": 0.09219904400003998, "4": 0.11517664300004071, "5": 0.130080856999939}, "score_seconds": 0.009088901600011922, "history": {"loss": [2.322669823411774, 2.2684921982888553, 2.241642415772227, 2.221482679144232, 2.198738873087813], "accuracy": [0.10848400556328233, 0.10848400556328233, 0.13212795549374132, 0.13212795549374132, 0.13630041724617525]}, "n_test": 718, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.315343383912014, "2": 2.282990883845168, "3": 2.2617726222230554, "4": 2.2386197596146644, "5": 2.213389376088911}}], "parameters": 160, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(2,)", 130], ["output", "Dense", "(10,)", 30]]}');
INSERT INTO "trial_user_attributes" VALUES(9,2,'sweep:digest','"bd6eb5ae02a32e57e99be29853048843"');
INSERT INTO "trial_user_attributes" VALUES(10,2,'sweep:summary','{"key": "{\"hidden_size\":2}", "state": "COMPLETE", "value": 0.14891949899465756, "rows": 1, "copied": 0, "digest": "bd6eb5ae02a32e57e99be29853048843"}');
INSERT INTO "trial_user_attributes" VALUES(11,3,'sweep:cell','{"key": "{\"hidden_size\":64}", "params": {"hidden_size": 64}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(12,4,'sweep:cell','{"key": "{\"hidden_size\":2}", "params": {"hidden_size": 2}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(13,3,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(14,3,'sweep:result','{"splits": [{"test": {"1": 0.22841225626740946, "2": 0.467966573816156, "3": 0.5654596100278552, "4": 0.6852367688022284, "5": 0.7353760445682451}, "train": {"5": 0.7827298050139275}, "seconds": {"1": 0.5741937250001001, "2": 0.5875739100001738, "3": 0.6051353980001295, "4": 0.6139977120001276, "5": 0.627282728000182}, "score_seconds": 0.07087458599999082, "history": {"loss": [2.291450181711351, 2.123017508339417, 1.9743295868127126, 1.8280047510327735, 1.6749718169315944], "accuracy": [0.11977715877437325, 0.3286908077994429, 0.5376044568245125, 0.6796657381615598, 0.7604456824512534]}, "n_test": 359, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.165845609944605, "2": 2.02319463048231, "3": 1.8788469610346006, "4": 1.7316622863737934, "5": 1.5863992158023923}}, {"test": {"1": 0.20055710306406685, "2": 0.39275766016713093, "3": 0.6016713091922006, "4": 0.6796657381615598, "5": 0.724233983286908}, "train": {"5": 0.8245125348189415}, "seconds": {"1": 0.02037603299993407, "2": 0.03591200499988645, "3": 0.05832262499995977, "4": 0.07825474899993878, "5": 0.09985190999987026}, "score_seconds": 0.012318711800003258, "history": {"loss": [2.2548449637165975, 2.073117346484681, 1.894425575779673, 1.7166907192936847, 1.5452750406557472], "accuracy": [0.13649025069637882, 0.34818941504178275, 0.5543175487465181, 0.7103064066852368, 0.7715877437325905]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.2011518334090243, "2": 2.0547490408268776, "3": 1.9084251835350552, "4": 1.762554901572099, "5": 1.618643989767846}}], "parameters": 4810, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]]}');
INSERT INTO "trial_user_attributes" VALUES(15,3,'sweep:digest','"f0fa457b2b55cd0ddd5e96aa66c887fb"');
INSERT INTO "trial_user_attributes" VALUES(16,3,'sweep:summary','{"key": "{\"hidden_size\":64}", "state": "COMPLETE", "value": 0.7298050139275766, "rows": 1, "copied": 0, "digest": "f0fa457b2b55cd0ddd5e96aa66c887fb"}');
INSERT INTO "trial_user_attributes" VALUES(17,4,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(18,4,'sweep:result','{"splits": [{"test": {"1": 0.10306406685236769, "2": 0.10863509749303621, "3": 0.11420612813370473, "4": 0.12534818941504178, "5": 0.11977715877437325}, "train": {"5": 0.116991643454039}, "seconds": {"1": 0.5145305419999886, "2": 0.5471083630000066, "3": 0.5716775980000648, "4": 0.5998783570000796, "5": 0.6261277200001132}, "score_seconds": 0.06950242660000186, "history": {"loss": [2.371131136556854, 2.3280994247925313, 2.301956332161566, 2.281557272403685, 2.2649224036915387], "accuracy": [0.10027855153203342, 0.11142061281337047, 0.11420612813370473, 0.11420612813370473, 0.12256267409470752]}, "n_test": 359, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.3430976402720947, "2": 2.3171273484211956, "3": 2.297668540134604, "4": 2.283290626612136, "5": 2.270018731360918}}, {"test": {"1": 0.10584958217270195, "2": 0.116991643454039, "3": 0.09749303621169916, "4": 0.13370473537604458, "5": 0.1532033426183844}, "train": {"5": 0.14484679665738162}, "seconds": {"1": 0.024600626000051307, "2": 0.037753112000132205, "3": 0.05739322700014782, "4": 0.07588947300018845, "5": 0.09649504500021067}, "score_seconds": 0.01289475279997987, "history": {"loss": [2.3653053241187814, 2.3274351786770198, 2.301252064266577, 2.279716125105749, 2.262153229009474], "accuracy": [0.10584958217270195, 0.10027855153203342, 0.10027855153203342, 0.12813370473537605, 0.14206128133704735]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.342733191816229, "2": 2.3088702511397123, "3": 2.2861158415913936, "4": 2.268632914014031, "5": 2.2538742064695065}}], "parameters": 160, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(2,)", 130], ["output", "Dense", "(10,)", 30]]}');
INSERT INTO "trial_user_attributes" VALUES(19,4,'sweep:digest','"880c6be3ac494da8e78db5cf0c05198f"');
INSERT INTO "trial_user_attributes" VALUES(20,4,'sweep:summary','{"key": "{\"hidden_size\":2}", "state": "COMPLETE", "value": 0.13649025069637882, "rows": 1, "copied": 0, "digest": "880c6be3ac494da8e78db5cf0c05198f"}');
INSERT INTO "trial_user_attributes" VALUES(21,5,'sweep:cell','{"key": "{\"hidden_size\":64}", "params": {"hidden_size": 64}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(22,6,'sweep:cell','{"key": "{\"hidden_size\":2}", "params": {"hidden_size": 2}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(23,5,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(24,5,'sweep:result','{"splits": [{"test": {"1": 0.18055555555555555, "2": 0.4166666666666667, "3": 0.6, "4": 0.7416666666666667, "5": 0.8083333333333333}, "train": {"5": 0.7910863509749304}, "seconds": {"1": 0.5251011029999972, "2": 0.5557704469999862, "3": 0.579624754000065, "4": 0.5956944950000889, "5": 0.6129361840000911}, "score_seconds": 0.07734938659998533, "history": {"loss": [2.3084146186169807, 2.1444485592642866, 2.002820146117038, 1.8606522202823819, 1.699919745118505], "accuracy": [0.08913649025069638, 0.26740947075208915, 0.48467966573816157, 0.6323119777158774, 0.7409470752089137]}, "n_test": 360, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.194604800222961, "2": 2.057842815281842, "3": 1.9301154761729218, "4": 1.7968793850764264, "5": 1.6503309257085068}}, {"test": {"1": 0.16991643454038996, "2": 0.31754874651810583, "3": 0.46518105849582175, "4": 0.5431754874651811, "5": 0.5905292479108635}, "train": {"5": 0.8555555555555555}, "seconds": {"1": 0.02552276400001574, "2": 0.05120585800000299, "3": 0.06840456700001596, "4": 0.08810023199998795, "5": 0.11356587599993873}, "score_seconds": 0.01227069599999595, "history": {"loss": [2.267355653974745, 2.0932540363735623, 1.9392413298288982, 1.771817355685764, 1.6102468093236288], "accuracy": [0.10833333333333334, 0.3, 0.5527777777777778, 0.7277777777777777, 0.8277777777777777]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.2200505961078023, "2": 2.097738396230203, "3": 1.9682387017537548, "4": 1.8310343251618604, "5": 1.7041752671778003}}], "parameters": 4810, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(64,)", 4160], ["output", "Dense", "(10,)", 650]]}');
INSERT INTO "trial_user_attributes" VALUES(25,5,'sweep:digest','"ee40831c67408fbd945c452ff80ace4b"');
INSERT INTO "trial_user_attributes" VALUES(26,5,'sweep:summary','{"key": "{\"hidden_size\":64}", "state": "COMPLETE", "value": 0.6994312906220984, "rows": 1, "copied": 0, "digest": "ee40831c67408fbd945c452ff80ace4b"}');
INSERT INTO "trial_user_attributes" VALUES(27,6,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(28,6,'sweep:result','{"splits": [{"test": {"1": 0.10555555555555556, "2": 0.10833333333333334, "3": 0.09722222222222222, "4": 0.09444444444444444, "5": 0.09722222222222222}, "train": {"5": 0.116991643454039}, "seconds": {"1": 0.501541045999943, "2": 0.5199478329999465, "3": 0.5392133779998858, "4": 0.555573827999865, "5": 0.5686529839998684}, "score_seconds": 0.07040157920000638, "history": {"loss": [2.3543571701953008, 2.30975265157588, 2.277662249992817, 2.2602831221556596, 2.243562357007295], "accuracy": [0.116991643454039, 0.12256267409470752, 0.11420612813370473, 0.11420612813370473, 0.12534818941504178]}, "n_test": 360, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.306045292801179, "2": 2.2785381620372522, "3": 2.2626945287055347, "4": 2.252334608085752, "5": 2.2431339649585804}}, {"test": {"1": 0.10306406685236769, "2": 0.10027855153203342, "3": 0.10306406685236769, "4": 0.11142061281337047, "5": 0.11142061281337047}, "train": {"5": 0.14444444444444443}, "seconds": {"1": 0.018157177000034608, "2": 0.03065740400006689, "3": 0.044626239000081114, "4": 0.06780069700005242, "5": 0.08008748500003549}, "score_seconds": 0.010823494600003869, "history": {"loss": [2.330726703008016, 2.290572929382324, 2.265096600850423, 2.2496438450283476, 2.238031334347195], "accuracy": [0.1, 0.1, 0.10277777777777777, 0.10833333333333334, 0.11666666666666667]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.32830780329916, "2": 2.297084340288179, "3": 2.2781826525277244, "4": 2.2636600491215035, "5": 2.2521721206960255}}], "parameters": 160, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(2,)", 130], ["output", "Dense", "(10,)", 30]]}');
INSERT INTO "trial_user_attributes" VALUES(29,6,'sweep:digest','"3b43dd18ced8eb6ee706edb20238fc04"');
INSERT INTO "trial_user_attributes" VALUES(30,6,'sweep:summary','{"key": "{\"hidden_size\":2}", "state": "COMPLETE", "value": 0.10432141751779635, "rows": 1, "copied": 0, "digest": "3b43dd18ced8eb6ee706edb20238fc04"}');
INSERT INTO "trial_user_attributes" VALUES(31,7,'sweep:cell','{"key": "{\"hidden_size\":1}", "params": {"hidden_size": 1}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(32,7,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(33,7,'sweep:result','{"splits": [{"test": {"1": 0.1070931849791377, "2": 0.1168289290681502, "3": 0.14603616133518776, "4": 0.1502086230876217, "5": 0.14186369958275383}, "train": {"5": 0.14066852367688024}, "seconds": {"1": 0.6795843349999586, "2": 0.6982319620000226, "3": 0.7205877719999307, "4": 0.7374290619999329, "5": 0.7558213489999162}, "score_seconds": 0.06872720819999359, "history": {"loss": [2.31685010769241, 2.303546544237057, 2.295750367608243, 2.2895872108119444, 2.2832831101165176], "accuracy": [0.10445682451253482, 0.10584958217270195, 0.12116991643454039, 0.13231197771587744, 0.14206128133704735]}, "n_test": 719, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.3038846445683347, "2": 2.2958219130455517, "3": 2.2902199795758045, "4": 2.285385294135064, "5": 2.280235649409803}}, {"test": {"1": 0.11281337047353761, "2": 0.13509749303621169, "3": 0.14345403899721448, "4": 0.14206128133704735, "5": 0.14206128133704735}, "train": {"5": 0.15438108484005564}, "seconds": {"1": 0.026439301999971576, "2": 0.047238753999977234, "3": 0.06454840299988973, "4": 0.08059074399989186, "5": 0.11729507699988062}, "score_seconds": 0.014889633200004937, "history": {"loss": [2.310895162431189, 2.2979687434078424, 2.2910180784896617, 2.2851675186767366, 2.2787910422960476], "accuracy": [0.1043115438108484, 0.12934631432545202, 0.16133518776077885, 0.1627260083449235, 0.15438108484005564]}, "n_test": 718, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.3079564520353113, "2": 2.299455329272816, "3": 2.2943662243759095, "4": 2.2884066820172806, "5": 2.2821095641875973}}], "parameters": 85, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(1,)", 65], ["output", "Dense", "(10,)", 20]]}');
INSERT INTO "trial_user_attributes" VALUES(34,7,'sweep:digest','"cf631175895df0393ffa7d66e9d2f6d7"');
INSERT INTO "trial_user_attributes" VALUES(35,7,'sweep:summary','{"key": "{\"hidden_size\":1}", "state": "COMPLETE", "value": 0.1419624904599006, "rows": 1, "copied": 0, "digest": "cf631175895df0393ffa7d66e9d2f6d7"}');
INSERT INTO "trial_user_attributes" VALUES(36,8,'sweep:cell','{"key": "{\"hidden_size\":1}", "params": {"hidden_size": 1}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(37,8,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(38,8,'sweep:result','{"splits": [{"test": {"1": 0.11142061281337047, "2": 0.10027855153203342, "3": 0.10306406685236769, "4": 0.1309192200557103, "5": 0.14206128133704735}, "train": {"5": 0.12256267409470752}, "seconds": {"1": 1.032939678000048, "2": 1.0825405890000184, "3": 1.128163086000086, "4": 1.1846006939999825, "5": 1.2193672719999995}, "score_seconds": 0.12453813940001054, "history": {"loss": [2.315356550110416, 2.3071623672017814, 2.3009460457188173, 2.297479570410046, 2.2935052535660088], "accuracy": [0.10306406685236769, 0.10863509749303621, 0.10863509749303621, 0.10306406685236769, 0.11977715877437325]}, "n_test": 359, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.320889936153215, "2": 2.313727010082015, "3": 2.3079084356970636, "4": 2.303424576675566, "5": 2.3000701522635563}}, {"test": {"1": 0.10306406685236769, "2": 0.10306406685236769, "3": 0.12256267409470752, "4": 0.11977715877437325, "5": 0.13370473537604458}, "train": {"5": 0.15041782729805014}, "seconds": {"1": 0.03679031399997257, "2": 0.08159458299996913, "3": 0.10723587699988002, "4": 0.12609394299988708, "5": 0.14230463399985638}, "score_seconds": 0.01366078920000291, "history": {"loss": [2.326562791813715, 2.3154214252004386, 2.30817964083637, 2.3016527316696465, 2.2972691683384037], "accuracy": [0.10306406685236769, 0.11142061281337047, 0.11977715877437325, 0.13649025069637882, 0.14484679665738162]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.309453480868468, "2": 2.3036780977882003, "3": 2.298693847530695, "4": 2.29531470687047, "5": 2.2926705111450443}}], "parameters": 85, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(1,)", 65], ["output", "Dense", "(10,)", 20]]}');
INSERT INTO "trial_user_attributes" VALUES(39,8,'sweep:digest','"7d9499d08540927b88a0f49f7d441e2c"');
INSERT INTO "trial_user_attributes" VALUES(40,8,'sweep:summary','{"key": "{\"hidden_size\":1}", "state": "COMPLETE", "value": 0.13788300835654596, "rows": 1, "copied": 0, "digest": "7d9499d08540927b88a0f49f7d441e2c"}');
INSERT INTO "trial_user_attributes" VALUES(41,9,'sweep:cell','{"key": "{\"hidden_size\":1}", "params": {"hidden_size": 1}, "epochs": [5]}');
INSERT INTO "trial_user_attributes" VALUES(42,9,'sweep:worker','"box:1:1"');
INSERT INTO "trial_user_attributes" VALUES(43,9,'sweep:result','{"splits": [{"test": {"1": 0.10277777777777777, "2": 0.10277777777777777, "3": 0.12222222222222222, "4": 0.13055555555555556, "5": 0.12777777777777777}, "train": {"5": 0.15041782729805014}, "seconds": {"1": 1.1584711609999658, "2": 1.176994987999933, "3": 1.1987936589998753, "4": 1.216952006999918, "5": 1.237275299999851}, "score_seconds": 0.10471523119999801, "history": {"loss": [2.31386555403388, 2.3045608505897204, 2.2978102928416644, 2.2939410827286064, 2.290059446956454], "accuracy": [0.10027855153203342, 0.10863509749303621, 0.116991643454039, 0.13649025069637882, 0.14763231197771587]}, "n_test": 360, "split": 0, "seed": 0, "inference_ms": null, "losses": {"1": 2.312956045896509, "2": 2.306190821965934, "3": 2.301371530881684, "4": 2.2977334162918854, "5": 2.2950584066590127}}, {"test": {"1": 0.10027855153203342, "2": 0.12534818941504178, "3": 0.14763231197771587, "4": 0.1532033426183844, "5": 0.1615598885793872}, "train": {"5": 0.17222222222222222}, "seconds": {"1": 0.05556796899998062, "2": 0.10792208400005165, "3": 0.1353457040000876, "4": 0.1777514370000972, "5": 0.22459895200006486}, "score_seconds": 0.02090975440000875, "history": {"loss": [2.3173271073235404, 2.307384098900689, 2.3008542007870143, 2.296825663248698, 2.2933669196234807], "accuracy": [0.10277777777777777, 0.11666666666666667, 0.1527777777777778, 0.1638888888888889, 0.16944444444444445]}, "n_test": 359, "split": 1, "seed": 0, "inference_ms": null, "losses": {"1": 2.3073273273073345, "2": 2.2999109779957996, "3": 2.295186841672488, "4": 2.2920010257376457, "5": 2.2894333294529967}}], "parameters": 85, "layers": [["flatten", "Flatten", "(64,)", 0], ["dense_1", "Dense", "(1,)", 65], ["output", "Dense", "(10,)", 20]]}');
INSERT INTO "trial_user_attributes" VALUES(44,9,'sweep:digest','"6fb93f73511c7fc1d700e5803b86317b"');
INSERT INTO "trial_user_attributes" VALUES(45,9,'sweep:summary','{"key": "{\"hidden_size\":1}", "state": "COMPLETE", "value": 0.14466883317858248, "rows": 1, "copied": 0, "digest": "6fb93f73511c7fc1d700e5803b86317b"}');
CREATE TABLE trial_values (
	trial_value_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	objective INTEGER NOT NULL, 
	value FLOAT, 
	value_type VARCHAR(7) NOT NULL, 
	PRIMARY KEY (trial_value_id), 
	UNIQUE (trial_id, objective), 
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
INSERT INTO "trial_values" VALUES(1,1,0,8.42032418904312351948e-01,'FINITE');
INSERT INTO "trial_values" VALUES(2,2,0,1.48919498994657562018e-01,'FINITE');
INSERT INTO "trial_values" VALUES(3,3,0,7.29805013927576573529e-01,'FINITE');
INSERT INTO "trial_values" VALUES(4,4,0,1.36490250696378823125e-01,'FINITE');
INSERT INTO "trial_values" VALUES(5,5,0,6.99431290622098411624e-01,'FINITE');
INSERT INTO "trial_values" VALUES(6,6,0,1.04321417517796347085e-01,'FINITE');
INSERT INTO "trial_values" VALUES(7,7,0,1.4196249045990058657e-01,'FINITE');
INSERT INTO "trial_values" VALUES(8,8,0,1.3788300835654596077e-01,'FINITE');
INSERT INTO "trial_values" VALUES(9,9,0,1.44668833178582478815e-01,'FINITE');
CREATE TABLE trials (
	trial_id INTEGER NOT NULL, 
	number INTEGER, 
	study_id INTEGER, 
	state VARCHAR(8) NOT NULL, 
	datetime_start DATETIME, 
	datetime_complete DATETIME, 
	PRIMARY KEY (trial_id), 
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
INSERT INTO "trials" VALUES(1,0,1,'COMPLETE','2026-11-27 11:39:49.130044','2026-11-27 11:39:50.662720');
INSERT INTO "trials" VALUES(2,1,1,'COMPLETE','2026-11-27 11:39:50.705067','2026-11-27 11:39:51.904704');
INSERT INTO "trials" VALUES(3,0,2,'COMPLETE','2026-11-27 11:39:53.570181','2026-11-27 11:39:55.256060');
INSERT INTO "trials" VALUES(4,1,2,'COMPLETE','2026-11-27 11:39:55.307342','2026-11-27 11:39:56.786759');
INSERT INTO "trials" VALUES(5,0,3,'COMPLETE','2026-11-27 11:39:58.587447','2026-11-27 11:40:00.152701');
INSERT INTO "trials" VALUES(6,1,3,'COMPLETE','2026-11-27 11:40:00.216799','2026-11-27 11:40:01.569647');
INSERT INTO "trials" VALUES(7,2,1,'COMPLETE','2026-11-27 11:40:21.262332','2026-11-27 11:40:22.965109');
INSERT INTO "trials" VALUES(8,2,2,'COMPLETE','2026-11-27 11:40:23.883353','2026-11-27 11:40:26.549986');
INSERT INTO "trials" VALUES(9,2,3,'COMPLETE','2026-11-27 11:40:28.305583','2026-11-27 11:40:31.131199');
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL, 
	schema_version INTEGER, 
	library_version VARCHAR(256), 
	PRIMARY KEY (version_info_id), 
	CHECK (version_info_id=1)
);
INSERT INTO "version_info" VALUES(1,12,'5.0.0');
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
COMMIT;
